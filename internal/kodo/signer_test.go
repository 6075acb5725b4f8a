package kodo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// The vectors are published with Kodo's documentation and official clients, for the keys ak and sk.
func TestSignerVectors(t *testing.T) {
	t.Parallel()
	signer := kodo.NewSigner("ak", "sk")
	token, err := signer.UploadToken(kodo.PutPolicy{Scope: kodo.ScopeOf("b1", "k1"), Deadline: 1893456000})
	const wantToken = "ak:G0VRLnqozbu_YtoUqWLtedM1ieo=:eyJzY29wZSI6ImIxOmsxIiwiZGVhZGxpbmUiOjE4OTM0NTYwMDB9"
	if err != nil || token != wantToken {
		t.Errorf("UploadToken() = %q, %v; want %q", token, err, wantToken)
	}
	link := signer.PrivateURL("http://dn.example.com/k1", time.Unix(1893456000, 0))
	const wantLink = "http://dn.example.com/k1?e=1893456000&token=ak:518MgLnFd7kyo1sw_Eozg5n23Eg="
	if link != wantLink {
		t.Errorf("PrivateURL() = %q; want %q", link, wantLink)
	}
}

// The signature was made with Python's hmac module.
func TestPrivateURLWithQuery(t *testing.T) {
	t.Parallel()
	link := kodo.NewSigner("ak", "sk").PrivateURL("https://dn.example.com/a%20b.jpg?imageView2/2/w/200", time.Unix(1893456000, 999))
	const want = "https://dn.example.com/a%20b.jpg?imageView2/2/w/200&e=1893456000&token=ak:MyTMjKkCfrlO_c64t9kWLBzG90g="
	if link != want {
		t.Errorf("PrivateURL() = %q; want %q", link, want)
	}
}

func TestCheckLink(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]string{
		"https://dn.example.com/a%20b.jpg":                      "",
		"http://127.0.0.1:8080/":                                "",
		"https://dn.example.com/a?imageView2/2/w/200&attname=x": "",
		"dn.example.com/a":                                      "must begin with http://",
		"ftp://dn.example.com/a":                                "must begin with http://",
		"https:///a":                                            "must begin with http://",
		"https://u:p@dn.example.com/a":                          "no user name",
		"https://dn.example.com/a#b":                            "no #",
		"https://dn.example.com/a#":                             "no #",
		"https://dn.example.com/a b":                            "must be escaped",
		"https://dn.example.com/é":                              "must be escaped",
		"https://dn.example.com/%zz":                            "not a URL",
		"https://dn.example.com/a?e=1":                          "parameter e",
		"https://dn.example.com/a?x=1&token=y":                  "parameter token",
	} {
		err := kodo.CheckLink(link)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("CheckLink(%q) = %v; want …%s…", link, err, want)
		}
	}
}
