package kodo_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// Everything that Kodo tells of an object arrives, also what the SDK's type lacks.
func TestStatFields(t *testing.T) {
	t.Parallel()
	url := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"fsize":5,"hash":"`+etagHello+`","mimeType":"text/plain","putTime":17000000000000001,"type":3,"status":1,
			"restoreStatus":2,"md5":"5d41402abc4b2a76b9719d911017c592","endUser":"somebody","x-qn-meta":{"owner":"harbour","!Cache-Control":"no-store"},
			"expiration":1700006400,"transitionToIA":1700000001,"transitionToIntelligentTiering":1700000002,"transitionToArchiveIR":1700000003,
			"transitionToARCHIVE":1700000004,"transitionToDeepArchive":1700000005}`)
	})
	got, err := newClient(t, everything(url)).Stat(t.Context(), "bucket", "key")
	want := kodo.Object{
		Key: "key", ETag: etagHello, Size: 5, ContentType: "text/plain", PutTime: 17000000000000001, MD5: "5d41402abc4b2a76b9719d911017c592",
		StorageClass: kodo.DeepArchive, Disabled: true, Restore: kodo.Restored, EndUser: "somebody",
		Metadata: map[string]string{"owner": "harbour", "!Cache-Control": "no-store"},
		Expires:  time.Date(2023, 11, 15, 0, 0, 0, 0, time.UTC),
		Transitions: map[kodo.StorageClass]time.Time{
			kodo.InfrequentAccess:        time.Date(2023, 11, 14, 22, 13, 21, 0, time.UTC),
			kodo.IntelligentTiering:      time.Date(2023, 11, 14, 22, 13, 22, 0, time.UTC),
			kodo.ArchiveInstantRetrieval: time.Date(2023, 11, 14, 22, 13, 23, 0, time.UTC),
			kodo.Archive:                 time.Date(2023, 11, 14, 22, 13, 24, 0, time.UTC),
			kodo.DeepArchive:             time.Date(2023, 11, 14, 22, 13, 25, 0, time.UTC),
		},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestFollows(t *testing.T) {
	t.Parallel()
	toIA := map[kodo.StorageClass]time.Time{kodo.InfrequentAccess: time.Unix(1700000001, 0)}
	for name, tt := range map[string]struct {
		object kodo.Object
		want   bool
	}{
		"to come":          {kodo.Object{Transitions: toIA}, true},
		"cancelled":        {kodo.Object{}, false},
		"made":             {kodo.Object{StorageClass: kodo.InfrequentAccess}, true},
		"made and more":    {kodo.Object{StorageClass: kodo.DeepArchive}, true},
		"of unknown class": {kodo.Object{StorageClass: 42}, true},
	} {
		if got := tt.object.Follows(kodo.InfrequentAccess); got != tt.want {
			t.Errorf("%s: Follows() = %t, want %t", name, got, tt.want)
		}
	}
	if (kodo.Object{StorageClass: kodo.InfrequentAccess, Transitions: toIA}).Follows(kodo.Archive) {
		t.Error("an object that is warmer has not become an archive")
	}
}

// An object of a class that nobody here has heard of is an object all the same.
func TestStatUnknownNumbers(t *testing.T) {
	t.Parallel()
	url := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"hash":"`+etagHello+`","mimeType":"","putTime":17000000000000001,"type":42,"restoreStatus":7,"status":3}`)
	})
	got, err := newClient(t, everything(url)).Stat(t.Context(), "bucket", "key")
	if err != nil || got.StorageClass != 42 || got.StorageClass.String() != "42" || got.Restore.String() != "" || got.Disabled || got.Frozen() {
		t.Errorf("%+v, %v", got, err)
	}
}

// What is no object is no success: neither alone, nor in a batch, nor in a listing.
func TestNoObject(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":     ``,
		"empty":       `{}`,
		"no put time": `{"hash":"` + etagHello + `","mimeType":"text/plain"}`,
		"no hash":     `{"putTime":17000000000000001,"mimeType":"text/plain"}`,
		"a list":      `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := body
			if data == "" {
				data = "null"
			}
			url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/batch":
					answer(w, 200, `[{"code":200,"data":`+data+`}]`)
				case "/list":
					answer(w, 200, `{"items":[`+data+`,{"hash":"`+etagHello+`","putTime":17000000000000001}]}`)
				default:
					answer(w, 200, body)
				}
			})
			c := newClient(t, everything(url))
			_, err := c.Stat(t.Context(), "bucket", "key")
			if failed := asError(t, err); failed.Message != "an answer that cannot be read" || failed.RequestID != "request-id-1" {
				t.Errorf("error %#v", failed)
			}
			_, err = c.StatAll(t.Context(), "bucket", []string{"key"})
			if failed := asError(t, err); failed.Message != "an answer that cannot be read" || failed.Key != "key" {
				t.Errorf("in a batch: error %#v", failed)
			}
			for _, err := range c.Objects(t.Context(), "bucket", kodo.ListOptions{}) {
				if failed := asError(t, err); failed.Message != "an answer that cannot be read" {
					t.Errorf("in a listing: error %#v", failed)
				}
			}
		})
	}
}

func TestFrozen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object kodo.Object
		want   bool
	}{
		"standard":                  {kodo.Object{}, false},
		"archive":                   {kodo.Object{StorageClass: kodo.Archive}, true},
		"deep archive":              {kodo.Object{StorageClass: kodo.DeepArchive}, true},
		"archive, being restored":   {kodo.Object{StorageClass: kodo.Archive, Restore: kodo.Restoring}, true},
		"archive, restored":         {kodo.Object{StorageClass: kodo.Archive, Restore: kodo.Restored}, false},
		"archive instant retrieval": {kodo.Object{StorageClass: kodo.ArchiveInstantRetrieval}, false},
	} {
		if got := test.object.Frozen(); got != test.want {
			t.Errorf("%s: frozen = %t, want %t", name, got, test.want)
		}
	}
}
