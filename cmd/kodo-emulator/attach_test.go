package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// attached speaks to a program that runs, as its first account.
type attached struct {
	t        *testing.T
	endpoint string
	origin   string // host:port of the bucket's downloads
}

func attach(t *testing.T, p *process) *attached {
	t.Helper()
	a := &attached{t: t, endpoint: p.endpoint}
	var domains []string
	a.getJSON("/v2/domains?tbl=assets", &domains)
	if len(domains) == 0 {
		t.Fatal("the bucket has no domain")
	}
	a.origin = domains[0]
	return a
}

// getJSON sends a signed call.
func (a *attached) getJSON(target string, value any) {
	a.t.Helper()
	host := strings.TrimPrefix(a.endpoint, "http://")
	body := a.get(a.endpoint+target, "Qiniu "+sign("GET "+target+"\nHost: "+host+"\n\n"))
	if err := json.Unmarshal(body, value); err != nil {
		a.t.Fatalf("GET %s: %v in %s", target, err, body)
	}
}

func (a *attached) download(key string) []byte {
	a.t.Helper()
	return a.get("http://"+a.origin+"/"+(&url.URL{Path: key}).EscapedPath(), "")
}

func (a *attached) get(url, authorization string) []byte {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		a.t.Fatalf("GET %s: %d %s %v", url, res.StatusCode, body, err)
	}
	return body
}
