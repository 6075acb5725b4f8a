package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// TestTrafficLimit uploads in every way under the slowest limit, 100 KiB a second by
// a clock that is exact, and looks at how long each took.
func TestTrafficLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		handler, _ := newHandler(t, time.Minute)
		c := &client{account: emulator.DefaultAccount()}
		content := strings.Repeat("x", 300<<10)
		limited, free := c.token(policy("bucket", `"trafficLimit":819200`)), c.token(policy("bucket"))
		send := func(method, target, token, contentType, body string) (answer *httptest.ResponseRecorder, took time.Duration) {
			t.Helper()
			began := time.Now()
			req := httptest.NewRequest(method, target, strings.NewReader(body))
			req.Host = "h"
			req.Header.Set("Content-Type", contentType)
			if token != "" {
				req.Header.Set("Authorization", "UpToken "+token)
			}
			answer = httptest.NewRecorder()
			handler.ServeHTTP(answer, req)
			if answer.Code != http.StatusOK {
				t.Errorf("%s %s: %d %s", method, target, answer.Code, answer.Body)
			}
			return answer, time.Since(began)
		}
		begun, _ := send(http.MethodPost, "/buckets/bucket/objects/"+b64("parts")+"/uploads", limited, "", "")
		var upload struct{ UploadID string }
		if err := json.Unmarshal(begun.Body.Bytes(), &upload); err != nil {
			t.Fatal(err)
		}
		first, _ := send(http.MethodPost, "/mkblk/4194304", free, "", "begin")
		var block struct{ Ctx string }
		if err := json.Unmarshal(first.Body.Bytes(), &block); err != nil {
			t.Fatal(err)
		}
		parts := "/buckets/bucket/objects/" + b64("parts") + "/uploads/" + upload.UploadID
		formType, limitedForm := form(t, field("token", limited), field("key", "k"), file("f", content))
		lateType, lateForm := form(t, file("f", content), field("key", "k"), field("token", limited))
		freeType, freeForm := form(t, field("token", free), field("key", "k"), file("f", content))
		for name, tt := range map[string]struct {
			method, target, token, contentType, body string
			want                                     time.Duration
		}{
			"form":                {"POST", "/", "", formType, string(limitedForm), 3 * time.Second},
			"form, token at last": {"POST", "/", "", lateType, string(lateForm), 0},
			"form without limit":  {"POST", "/", "", freeType, string(freeForm), 0},
			"base64":              {"POST", "/putb64/-1/key/" + b64("b"), limited, "", strings.Repeat("eHh4", 100<<10), 4 * time.Second},
			"block":               {"POST", "/mkblk/4194304", limited, "", content, 3 * time.Second},
			"chunk":               {"POST", "/bput/" + block.Ctx + "/5", limited, "", content, 3 * time.Second},
			"part":                {"PUT", parts + "/1", limited, "", content, 3 * time.Second},
			"part without limit":  {"PUT", parts + "/2", free, "", content, 0},
		} {
			// What is read together with the token comes at once.
			const early = 4 * time.Second / 100
			if _, took := send(tt.method, tt.target, tt.token, tt.contentType, tt.body); took > tt.want || took < tt.want-early {
				t.Errorf("%s: took %v, want %v", name, took, tt.want)
			}
		}
	})
}
