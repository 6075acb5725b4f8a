package auth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/auth"
)

// TestSign signs the requests of published signatures, and one whose signature
// was computed in Python from the published rule.
func TestSign(t *testing.T) {
	t.Parallel()
	secrets := map[string]string{"ak": "sk", "MY_ACCESS_KEY": "MY_SECRET_KEY"}
	v := auth.NewVerifier(func(ak string) (string, bool) { sk, ok := secrets[ak]; return sk, ok }, time.Now)
	dated := func() http.Header {
		return http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Qiniu-Date": {"20060102T150405Z"}}
	}
	move := "/move/bmV3ZG9jczpmaW5kX21hbi50eHQ=/bmV3ZG9jczpmaW5kLm1hbi50eHQ="
	for want, tt := range map[string]struct {
		scheme  auth.Scheme
		request auth.Request
	}{
		"QBox MY_ACCESS_KEY:FXsYh0wKHYPEsIAgdPD9OfjkeEM=": {auth.QBox, auth.Request{Method: "POST", Host: "rs.qiniu.com", Path: move}},
		"QBox ak:_n1ORCAJHKrEtG5qe-Nn5cP55g4=": {auth.QBox, auth.Request{
			Method: "POST", Host: "h", RawPath: "/a%20b", Path: "/a b", RawQuery: "c=d", Header: dated(), Body: []byte("e=f"),
		}},
		"Qiniu ak:TCabyeLs2AwV631QbVgBm4zwb6o=": {auth.Qiniu, auth.Request{
			Method: "POST", Host: "uc.qiniuapi.com", Path: "/mkbucketv3/b1/region/z0", Header: dated(),
		}},
		"Qiniu ak:KYoeVgSdXFwf9WQCA7QF33T6aYc=": {auth.Qiniu, auth.Request{
			Method: "POST", Host: "127.0.0.1:9000", Path: "/batch", Header: dated(), Body: []byte("op=stat%2FYjE6azE%3D"),
		}},
	} {
		accessKey := "ak"
		if tt.request.Path == move {
			accessKey = "MY_ACCESS_KEY"
		}
		if got, err := v.Sign(tt.scheme, accessKey, tt.request); err != nil || got != want {
			t.Errorf("Sign(%s) = %q, %v, want %q", tt.request.Path, got, err, want)
		}
	}
	if got, err := v.Sign(auth.QBox, "unknown", auth.Request{Path: "/"}); err == nil {
		t.Errorf("Sign for an unknown account = %q, want an error", got)
	}
	if got, err := v.Sign("Other", "ak", auth.Request{Path: "/"}); err == nil {
		t.Errorf("Sign with an unknown scheme = %q, want an error", got)
	}
}
