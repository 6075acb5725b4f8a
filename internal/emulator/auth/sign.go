package auth

import "fmt"

// Scheme is how a request is signed.
type Scheme string

// The two schemes of management calls, and of requests that Kodo itself sends.
const (
	QBox  Scheme = "QBox"
	Qiniu Scheme = "Qiniu"
)

// Sign returns the Authorization header of a request that Kodo sends to a
// server of the account's, so that this can tell that it comes from Kodo. The
// path is covered with its escapes decoded, as official clients verify it
// (fact:upload-callback-signature).
func (v *Verifier) Sign(scheme Scheme, accessKey string, r Request) (string, error) {
	secret, ok := v.secret(accessKey)
	if !ok {
		return "", fmt.Errorf("no account has the access key %q", accessKey)
	}
	var covered []string
	r.RawPath = r.Path
	switch scheme {
	case QBox:
		covered = qboxCandidates(r, true)
	case Qiniu:
		covered = qiniuCandidates(r, true)
	default:
		return "", fmt.Errorf("unknown scheme %q", scheme)
	}
	return string(scheme) + " " + accessKey + ":" + signature(secret, covered[0]), nil
}
