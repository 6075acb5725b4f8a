package policy_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/policy"
)

func status(err error) int {
	var refusal *policy.Error
	if errors.As(err, &refusal) {
		return refusal.Status
	}
	return 0
}

func encode(json string) string { return base64.URLEncoding.EncodeToString([]byte(json)) }

func TestParseToken(t *testing.T) {
	t.Parallel()
	const published = "ak:G0VRLnqozbu_YtoUqWLtedM1ieo=:eyJzY29wZSI6ImIxOmsxIiwiZGVhZGxpbmUiOjE4OTM0NTYwMDB9"
	want := policy.Token{
		AccessKey: "ak", Sign: "G0VRLnqozbu_YtoUqWLtedM1ieo=",
		Policy: "eyJzY29wZSI6ImIxOmsxIiwiZGVhZGxpbmUiOjE4OTM0NTYwMDB9",
	}
	for _, text := range []string{published, ":1380000000:" + published} {
		got, err := policy.ParseToken(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("ParseToken(%q): %v (-want +got)\n%s", text, err, diff)
		}
	}
	decoded, err := policy.Parse(want.Policy)
	if diff := cmp.Diff(policy.Policy{Scope: "b1:k1", Deadline: 1893456000}, decoded); diff != "" || err != nil {
		t.Errorf("Parse(): %v (-want +got)\n%s", err, diff)
	}
	for text, wantText := range map[string]string{
		"": "token not specified", "ak": "bad token", "ak:sign": "bad token", ":sign:policy": "bad token",
		"ak:sign:policy:more": "bad token", "x:1:ak:sign:policy": "bad token",
	} {
		if _, err := policy.ParseToken(text); status(err) != 401 || err.Error() != wantText {
			t.Errorf("ParseToken(%q) = %v, want 401 %q", text, err, wantText)
		}
	}
}

func TestParseRefusals(t *testing.T) {
	t.Parallel()
	for json, want := range map[string]int{
		`{"scope":"b","deadline":1,"returnBody":"","fileType":0,"detectMime":0,"callbackUrl":null,"forceSaveKey":false,"keylimit":[]}`: 0,
		`{"scope":"b","deadline":1,"noFieldOfKodo":1}`: 0,
		`{"scope":"b","deadline":"1"}`:                 401,
		`{"scope":"b","fsizeLimit":"10"}`:              401,
		`{"scope":"b","insertOnly":true}`:              401,
		`{"deadline":1}`:                               401,
		`{"scope":""}`:                                 401,
		`{"scope":"b"} {}`:                             401,
		`{"scope":"b","fileType":5}`:                   0,
		`{"scope":"b","fileType":6}`:                   400,
		`{"scope":"b","fileType":-1}`:                  400,
		`{"scope":"b","deleteAfterDays":-1}`:           400,
		`{"scope":"b","deleteAfterDays":3000000000}`:   400,
		`["scope"]`: 401,
		`null`:      401,
		``:          401,
	} {
		if _, err := policy.Parse(encode(json)); status(err) != want {
			t.Errorf("Parse(%s) = %v, want status %d", json, err, want)
		}
	}
	if _, err := policy.Parse(strings.TrimRight(encode(`{"scope":"b"} `), "=")); status(err) != 401 {
		t.Errorf("Parse of a policy without its padding = %v, want status 401", err)
	}
}

// TestParseContradictions holds every rule of a policy with what is just allowed and
// what is not.
func TestParseContradictions(t *testing.T) {
	t.Parallel()
	keys := strings.Repeat(`"k",`, 19) + `"k"`
	for fields, want := range map[string]int{
		`"fileType":5`: 0, `"fileType":6`: 400, `"fileType":-1`: 400,
		`"deleteAfterDays":1`: 0, `"deleteAfterDays":-1`: 400, `"deleteAfterDays":3000000000`: 400,
		`"detectMime":-1`: 0, `"detectMime":1`: 0, `"detectMime":2`: 400, `"detectMime":-2`: 400,
		`"trafficLimit":819200`: 0, `"trafficLimit":819199`: 400, `"trafficLimit":838860800`: 0, `"trafficLimit":838860801`: 400, `"trafficLimit":-1`: 400,
		`"keylimit":[` + keys + `]`: 0, `"keylimit":["k",` + keys + `]`: 400, `"keylimit":"k"`: 401,
		`"forceSaveKey":true`: 400, `"forceSaveKey":true,"saveKey":"k"`: 0, `"forceSaveKey":1,"saveKey":"k"`: 401, `"saveKey":1`: 401,
		`"callbackUrl":"http://h"`: 400, `"callbackUrl":"http://h","callbackBody":"a=b"`: 0, `"callbackBody":"a=b"`: 0,
		`"callbackUrl":"http://h","callbackBody":{"a":"b"}`:                                              401,
		`"callbackUrl":"http://h","callbackBody":"a","callbackBodyType":"text/plain"`:                    400,
		`"callbackUrl":"http://h","callbackBody":"a=b","callbackBodyType":"application/json"`:            400,
		`"callbackUrl":"http://h","callbackBody":"{\"a\":$(key)}","callbackBodyType":"application/json"`: 0,
		`"callbackFetchKey":1`: 400, `"callbackUrl":"http://h","callbackBody":"a=b","callbackFetchKey":1`: 0,
		`"returnBody":"{\"key\":$(key),\"n\":[$(fsize)]}"`: 0, `"returnBody":"key=$(key)"`: 400,
		`"persistentOps":"a"`: 0, `"persistentOps":"a","persistentWorkflowTemplateID":"b"`: 400,
		`"persistentOps":"a","fileType":2`: 400, `"persistentWorkflowTemplateID":"b","fileType":3`: 400, `"persistentOps":"a","fileType":4`: 0,
		`"persistentType":1`: 0, `"persistentType":2`: 400,
		`"transform":"a"`: 501, `"TRANSFORM":"a"`: 501, `"transform":""`: 0,
	} {
		if _, err := policy.Parse(encode(`{"scope":"b",` + fields + `}`)); status(err) != want {
			t.Errorf("Parse with %s: %v, want status %d", fields, err, want)
		}
	}
}

func TestV1ScopeIs401(t *testing.T) {
	t.Parallel()
	if err := (policy.Policy{Scope: "b:k"}).CheckKey(policy.V1, "other"); status(err) != 401 {
		t.Errorf("CheckKey(V1) = %v, want status 401", err)
	}
}

func TestSavesKey(t *testing.T) {
	t.Parallel()
	key := "k"
	for _, tt := range []struct {
		policy    policy.Policy
		key, none bool
	}{
		{policy.Policy{}, false, false},
		{policy.Policy{SaveKey: "s"}, false, true},
		{policy.Policy{SaveKey: "s", ForceSaveKey: true}, true, true},
	} {
		if got := tt.policy.SavesKey(&key); got != tt.key {
			t.Errorf("%+v: SavesKey of a key = %v", tt.policy, got)
		}
		if got := tt.policy.SavesKey(nil); got != tt.none {
			t.Errorf("%+v: SavesKey(nil) = %v", tt.policy, got)
		}
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	always := map[policy.API]bool{policy.Form: true, policy.V1: true, policy.V2: true}
	tests := map[string]struct {
		policy     policy.Policy
		overwrites map[policy.API]bool
		allowed    []string
		refused    []string
	}{
		"bucket":             {policy.Policy{Scope: "b"}, map[policy.API]bool{policy.V1: true}, []string{"", "a", "a:b"}, nil},
		"key":                {policy.Policy{Scope: "b:a/k:1"}, always, []string{"a/k:1"}, []string{"", "a/k", "a/k:12"}},
		"empty key":          {policy.Policy{Scope: "b:"}, always, []string{""}, []string{"a"}},
		"key, insertOnly":    {policy.Policy{Scope: "b:a", InsertOnly: 1}, nil, []string{"a"}, []string{"b"}},
		"bucket, insertOnly": {policy.Policy{Scope: "b", InsertOnly: 1}, nil, []string{"a"}, nil},
		"keylimit":           {policy.Policy{Scope: "b", KeyLimit: []string{"a", "b"}}, map[policy.API]bool{policy.V1: true}, []string{"a", "b"}, []string{"", "c"}},
		"prefix":             {policy.Policy{Scope: "b:p/", IsPrefixalScope: 1}, nil, []string{"p/", "p/a"}, []string{"", "p", "q/a"}},
	}
	for name, tt := range tests {
		if got := tt.policy.Bucket(); got != "b" {
			t.Errorf("%s: Bucket() = %q, want b", name, got)
		}
		for _, api := range []policy.API{policy.Form, policy.V1, policy.V2} {
			if got := tt.policy.Overwrites(api); got != tt.overwrites[api] {
				t.Errorf("%s: Overwrites(%v) = %v, want %v", name, api, got, tt.overwrites[api])
			}
		}
		for _, key := range tt.allowed {
			if err := tt.policy.CheckKey(policy.Form, key); err != nil {
				t.Errorf("%s: CheckKey(%q) = %v, want nil", name, key, err)
			}
		}
		for _, key := range tt.refused {
			if err := tt.policy.CheckKey(policy.V2, key); status(err) != 403 {
				t.Errorf("%s: CheckKey(%q) = %v, want status 403", name, key, err)
			}
		}
	}
}

func TestCheckNoKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		policy policy.Policy
		want   int
	}{
		{policy.Policy{Scope: "b"}, 0},
		{policy.Policy{Scope: "b:", IsPrefixalScope: 1}, 0},
		{policy.Policy{Scope: "b:p", IsPrefixalScope: 1}, 403},
		{policy.Policy{Scope: "b:k"}, 403},
		{policy.Policy{Scope: "b:"}, 403},
	} {
		if err := tt.policy.CheckNoKey(); status(err) != tt.want {
			t.Errorf("%+v: CheckNoKey() = %v, want status %d", tt.policy, err, tt.want)
		}
	}
}

func TestCheckSize(t *testing.T) {
	t.Parallel()
	p := policy.Policy{FsizeMin: 2, FsizeLimit: 4}
	for size, want := range map[int64]int{1: 403, 2: 0, 4: 0, 5: 413} {
		if err := p.CheckSize(size); status(err) != want {
			t.Errorf("CheckSize(%d) = %v, want status %d", size, err, want)
		}
	}
	if err := (policy.Policy{}).CheckSize(1 << 40); err != nil {
		t.Errorf("CheckSize without limits = %v, want nil", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("ak:G0VRLnqozbu_YtoUqWLtedM1ieo=:eyJzY29wZSI6ImIxOmsxIiwiZGVhZGxpbmUiOjE4OTM0NTYwMDB9", "k1")
	f.Add("a:b:"+encode(`{"scope":"b:p","isPrefixalScope":1,"fsizeMin":-1}`), "p")
	f.Add(":1:a:b:"+encode(`{"SCOPE":null,"keylimit":[1]}`), "")
	f.Fuzz(func(t *testing.T, text, key string) {
		token, err := policy.ParseToken(text)
		if err != nil {
			if status(err) != 401 {
				t.Errorf("ParseToken(%q) = %v, want status 401", text, err)
			}
			return
		}
		p, err := policy.Parse(token.Policy)
		if err != nil {
			if s := status(err); s != 400 && s != 401 && s != 501 {
				t.Errorf("Parse(%q) = %v, want status 400, 401 or 501", token.Policy, err)
			}
			return
		}
		if p.Bucket() != "" && strings.Contains(p.Bucket(), ":") {
			t.Errorf("Bucket() = %q", p.Bucket())
		}
		if err := p.CheckKey(policy.Form, key); err == nil && p.Overwrites(policy.Form) && p.Scope != p.Bucket()+":"+key {
			t.Errorf("the scope %q lets %q be overwritten", p.Scope, key)
		}
	})
}
