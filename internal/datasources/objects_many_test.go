package datasources

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
	"github.com/qiniu/terraform-provider-kodo/internal/tfkodo"
)

// manyPages is a client of a server that lists a number of full pages, with an empty
// one after each, and does nothing else.
func manyPages(t *testing.T, pages int) *kodo.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("marker")) // none on the first page
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Reqid", "id")
		var items []string
		for i := range 1000 {
			if n%2 == 0 {
				items = append(items, fmt.Sprintf(`{"key":"site/%04d/%03d","hash":"Fqr0xh3cxeii2r7eDztILNmuqUNN","fsize":5,"mimeType":"text/plain","putTime":17000000000000001}`, n, i))
			}
		}
		next := ""
		if n++; n < 2*pages {
			next = strconv.Itoa(n)
		}
		_, _ = fmt.Fprintf(w, `{"items":[%s],"marker":%q}`, strings.Join(items, ","), next)
	}))
	t.Cleanup(server.Close)
	client, err := kodo.New(kodo.Config{AccessKey: "ak", SecretKey: "sk", Endpoints: kodo.Endpoints{RSF: server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// A listing that no configuration should hold is told all the same, with a warning
// that names a narrower prefix. Empty pages do not end it. This is not asked through
// the protocol, whose encoding takes ten seconds for so many: make bench does.
func TestObjectsMany(t *testing.T) {
	t.Parallel()
	for pages, warnings := range map[int]int{50: 0, 51: 1} {
		source := &objects{provider: &tfkodo.Provider{Client: manyPages(t, pages)}}
		model := objectsModel{Bucket: types.StringValue("assets"), Prefix: types.StringValue("site/")}
		diags := source.list(t.Context(), &model)
		if len(model.Objects.Elements()) != pages*1000 || diags.WarningsCount() != warnings {
			t.Errorf("%d pages: %d objects, %v", pages, len(model.Objects.Elements()), diags)
		}
		if warnings > 0 && !strings.Contains(diags[0].Detail(), `prefix = "site/0000/"`) {
			t.Errorf("the warning names no narrower prefix: %v", diags)
		}
	}
}
