package kodo_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// The object "bucket:key" and the condition that its hash is that of "hello", as they stand in paths.
const (
	entryInPath = "YnVja2V0OmtleQ=="
	ifHello     = "/cond/aGFzaD1GcXIweGgzY3hlaWkycjdlRHp0SUxObXVxVU5O"
)

// statServer answers each stat by the next of the bodies, the last one again and again, and each other request by
// operate. It returns the Client's way to it and the paths of those other requests.
func statServer(t *testing.T, operate http.HandlerFunc, bodies ...string) (kodo.Endpoints, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var paths []string
	url := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasPrefix(r.URL.Path, "/stat/") {
			paths = append(paths, r.URL.Path)
			operate(w, r)
			return
		}
		body := bodies[0]
		if len(bodies) > 1 {
			bodies = bodies[1:]
		}
		if body == "" {
			answer(w, 612, `{"error":"no such file or directory"}`)
			return
		}
		answer(w, 200, body)
	})
	return everything(url), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return paths
	}
}

func accept(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{}`) }

// refuse answers 400, with which Kodo also says that something is so already.
func refuse(w http.ResponseWriter, _ *http.Request) { answer(w, 400, `{"error":"no"}`) }

// like is statAnswer with more fields.
func like(fields string) string { return strings.TrimSuffix(statAnswer, "}") + "," + fields + "}" }

// Each change is one request, with the condition that the content is still the same where the call takes it.
func TestChangeRequests(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		have   string
		change kodo.Change
		want   []string
	}{
		"metadata": {
			statAnswer, kodo.SetMetadata("text/html", map[string]string{"owner": "harbour", "!Cache-Control": "max-age=60"}),
			[]string{"/chgm/" + entryInPath + "/mime/dGV4dC9odG1s/x-qn-meta-!Cache-Control/bWF4LWFnZT02MA==/x-qn-meta-owner/aGFyYm91cg==" + ifHello},
		},
		"metadata alone": {
			statAnswer, kodo.SetMetadata("", map[string]string{"owner": "harbour"}),
			[]string{"/chgm/" + entryInPath + "/x-qn-meta-owner/aGFyYm91cg==" + ifHello},
		},
		"an empty value":       {statAnswer, kodo.SetMetadata("", map[string]string{"owner": ""}), []string{"/chgm/" + entryInPath + "/x-qn-meta-owner/" + ifHello}},
		"metadata that is so":  {like(`"x-qn-meta":{"owner":"harbour","b":"c"}`), kodo.SetMetadata("text/plain", map[string]string{"owner": "harbour"}), nil},
		"class":                {statAnswer, kodo.SetStorageClass(kodo.DeepArchive), []string{"/chtype/" + entryInPath + "/type/3"}},
		"class that is so":     {like(`"type":1`), kodo.SetStorageClass(kodo.InfrequentAccess), nil},
		"class of a restored":  {like(`"type":2,"restoreStatus":2`), kodo.SetStorageClass(kodo.Standard), []string{"/chtype/" + entryInPath + "/type/0"}},
		"disable":              {statAnswer, kodo.SetEnabled(false), []string{"/chstatus/" + entryInPath + "/status/1" + ifHello}},
		"enable":               {like(`"status":1`), kodo.SetEnabled(true), []string{"/chstatus/" + entryInPath + "/status/0" + ifHello}},
		"enable what is so":    {statAnswer, kodo.SetEnabled(true), nil},
		"disable what is so":   {like(`"status":1`), kodo.SetEnabled(false), nil},
		"disable a frozen one": {like(`"type":2`), kodo.SetEnabled(false), []string{"/chstatus/" + entryInPath + "/status/1" + ifHello}},
		"delete after 7 days":  {statAnswer, kodo.SetLifecycle(kodo.Lifecycle{Delete: 7}), []string{"/lifecycle/" + entryInPath + "/deleteAfterDays/7" + ifHello}},
		"delete no more":       {like(`"expiration":1700006400`), kodo.SetLifecycle(kodo.Lifecycle{Delete: kodo.Cancel}), []string{"/lifecycle/" + entryInPath + "/deleteAfterDays/-1" + ifHello}},
		"delete never":         {statAnswer, kodo.SetLifecycle(kodo.Lifecycle{Delete: kodo.Cancel}), nil},
		"the same days anew":   {like(`"expiration":1700006400`), kodo.SetLifecycle(kodo.Lifecycle{Delete: 7}), []string{"/lifecycle/" + entryInPath + "/deleteAfterDays/7" + ifHello}},
		"no transition any more": {
			like(`"transitionToIA":1700006400`), kodo.SetLifecycle(kodo.Lifecycle{To: map[kodo.StorageClass]int{kodo.InfrequentAccess: -1, kodo.Archive: -1}}),
			[]string{"/lifecycle/" + entryInPath + "/toIAAfterDays/-1/toArchiveAfterDays/-1" + ifHello},
		},
		"all days": {
			statAnswer, kodo.SetLifecycle(kodo.Lifecycle{Delete: 90, To: map[kodo.StorageClass]int{
				kodo.InfrequentAccess: 1, kodo.IntelligentTiering: 2, kodo.ArchiveInstantRetrieval: 3, kodo.Archive: 4, kodo.DeepArchive: 5,
			}}),
			[]string{"/lifecycle/" + entryInPath + "/toIAAfterDays/1/toIntelligentTieringAfterDays/2/toArchiveIRAfterDays/3/toArchiveAfterDays/4/toDeepArchiveAfterDays/5/deleteAfterDays/90" + ifHello},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoints, paths := statServer(t, accept, test.have)
			if _, err := newClient(t, endpoints).Change(t.Context(), "bucket", "key", putTimeOfAnswer, test.change); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, paths()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// Several changes are made after one look, in their order.
func TestChangeMany(t *testing.T) {
	t.Parallel()
	endpoints, paths := statServer(t, accept, statAnswer)
	made, err := newClient(t, endpoints).Change(t.Context(), "bucket", "key", 0,
		kodo.SetMetadata("text/html", nil), kodo.SetEnabled(true), kodo.SetStorageClass(kodo.InfrequentAccess), kodo.SetEnabled(false))
	want := []string{
		"/chgm/" + entryInPath + "/mime/dGV4dC9odG1s" + ifHello, "/chtype/" + entryInPath + "/type/1", "/chstatus/" + entryInPath + "/status/1" + ifHello,
	}
	if diff := cmp.Diff(want, paths()); err != nil || made != 4 || diff != "" {
		t.Errorf("%d made, %v, requests (-want +got):\n%s", made, err, diff)
	}
}

// A refusal is understood by a look at the object: it may be so already, frozen, or another one.
func TestChangeRefused(t *testing.T) {
	t.Parallel()
	const other = `{"fsize":3,"hash":"FpLiADEaVoALPkdb8tJEJyRTXoe_","mimeType":"text/plain","putTime":17000000000000002}`
	var changed *kodo.ChangedError
	var frozen *kodo.FrozenError
	var failed *kodo.Error
	for name, test := range map[string]struct {
		change kodo.Change
		stats  []string
		as     any // what the error is, nil for success
		sent   int
	}{
		"of the class already":         {kodo.SetStorageClass(kodo.InfrequentAccess), []string{statAnswer, like(`"type":1`)}, nil, 1},
		"disabled already":             {kodo.SetEnabled(false), []string{statAnswer, like(`"status":1`)}, nil, 1},
		"still as it was":              {kodo.SetEnabled(false), []string{statAnswer}, &failed, 1},
		"written since the plan":       {kodo.SetEnabled(false), []string{other}, &changed, 0},
		"written since the look":       {kodo.SetEnabled(false), []string{statAnswer, other}, &changed, 1},
		"gone since the plan":          {kodo.SetEnabled(false), []string{""}, &changed, 0},
		"gone since the look":          {kodo.SetMetadata("text/html", nil), []string{statAnswer, ""}, &changed, 1},
		"frozen":                       {kodo.SetMetadata("text/html", nil), []string{like(`"type":2`)}, &frozen, 0},
		"being restored":               {kodo.SetStorageClass(kodo.Standard), []string{like(`"type":3,"restoreStatus":1`)}, &frozen, 0},
		"frozen since the look":        {kodo.SetStorageClass(kodo.Standard), []string{like(`"type":2,"restoreStatus":2`), like(`"type":2`)}, &frozen, 1},
		"refused, and not to be seen":  {kodo.SetEnabled(false), []string{statAnswer, `{}`}, &failed, 1},
		"metadata that Kodo forbids":   {kodo.SetMetadata("", map[string]string{"a b": "c"}), []string{statAnswer}, new(error), 0},
		"a type that Kodo forbids":     {kodo.SetMetadata("a%b", nil), []string{statAnswer}, new(error), 0},
		"a lifecycle that is no order": {kodo.SetLifecycle(kodo.Lifecycle{Delete: 1, To: map[kodo.StorageClass]int{kodo.Archive: 2}}), []string{statAnswer}, new(error), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoints, paths := statServer(t, refuse, test.stats...)
			made, err := newClient(t, endpoints, noRetries).Change(t.Context(), "bucket", "key", putTimeOfAnswer, test.change)
			switch as := test.as.(type) {
			case nil:
				if err != nil {
					t.Error(err)
				}
			case **kodo.ChangedError:
				var target *kodo.ChangedError
				if !errors.As(err, &target) {
					t.Errorf("error %v (%T), want %T", err, err, as)
				}
			case **kodo.FrozenError:
				var target *kodo.FrozenError
				if !errors.As(err, &target) {
					t.Errorf("error %v (%T), want %T", err, err, as)
				}
			case **kodo.Error:
				if failed := asError(t, err); failed.Code != 400 {
					t.Errorf("code %d, want 400", failed.Code)
				}
			default:
				if err == nil {
					t.Error("it is accepted")
				}
			}
			if (made == 1) != (test.as == nil) {
				t.Errorf("%d changes are made", made)
			}
			if got := len(paths()); got != test.sent {
				t.Errorf("%d requests to change it, want %d: %q", got, test.sent, paths())
			}
		})
	}
}

// A change whose answer is lost, until the retries are used up, is found by a look.
func TestChangeAnswerLost(t *testing.T) {
	t.Parallel()
	e, c := newEmulator(t)
	before := seed(t, e, c, "key", "hello")
	fail(t, e, emulator.Fault{Match: emulator.Match{Path: "/chgm/*"}, Times: 10, Do: "apply_then_drop"})
	if _, err := c.Change(t.Context(), "bucket", "key", before.PutTime, kodo.SetMetadata("image/x-new", map[string]string{"Owner": "x"})); err != nil {
		t.Fatal(err)
	}
	want := before
	want.ContentType, want.Metadata = "image/x-new", map[string]string{"Owner": "x"}
	got, err := c.Stat(t.Context(), "bucket", "key")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestChangeCancelled(t *testing.T) {
	t.Parallel()
	endpoints, paths := statServer(t, accept, statAnswer)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newClient(t, endpoints).Change(ctx, "bucket", "key", 0, kodo.SetEnabled(false))
	if !errors.Is(err, context.Canceled) || len(paths()) != 0 {
		t.Errorf("error %v, requests %q", err, paths())
	}
}

func TestLifecycleCheck(t *testing.T) {
	t.Parallel()
	to := func(pairs ...int) map[kodo.StorageClass]int {
		m := map[kodo.StorageClass]int{}
		for i := 0; i < len(pairs); i += 2 {
			m[kodo.StorageClass(pairs[i])] = pairs[i+1]
		}
		return m
	}
	for name, test := range map[string]struct {
		days kodo.Lifecycle
		says string // "" if it is accepted
	}{
		"nothing":                {kodo.Lifecycle{}, ""},
		"all cancelled":          {kodo.Lifecycle{Delete: -1, To: to(1, -1, 2, -1, 3, -1, 4, -1, 5, -1)}, ""},
		"in order":               {kodo.Lifecycle{Delete: 5, To: to(1, 1, 4, 2, 2, 3, 3, 4)}, ""},
		"tiering after deletion": {kodo.Lifecycle{Delete: 5, To: to(5, 9)}, "deletion after 5 days must come later than INTELLIGENT_TIERING after 9"},
		"some of them":           {kodo.Lifecycle{Delete: 30, To: to(3, 10)}, ""},
		"deleted the same day":   {kodo.Lifecycle{Delete: 30, To: to(1, 30)}, "deletion after 30 days must come later than IA after 30"},
		"archive before IA":      {kodo.Lifecycle{To: to(1, 30, 2, 10)}, "ARCHIVE after 10 days must come later than IA after 30"},
		"archive before IR":      {kodo.Lifecycle{To: to(4, 30, 2, 10)}, "ARCHIVE after 10 days must come later than ARCHIVE_IR after 30"},
		"deep before archive":    {kodo.Lifecycle{To: to(2, 30, 3, 10)}, "DEEP_ARCHIVE after 10 days must come later than ARCHIVE after 30"},
		"fewer than none":        {kodo.Lifecycle{Delete: -2}, "-2 days for deletion"},
		"fewer than no tiering":  {kodo.Lifecycle{To: to(5, -2)}, "-2 days for INTELLIGENT_TIERING"},
		"cancelled in between":   {kodo.Lifecycle{Delete: 20, To: to(1, 10, 2, -1)}, ""},
		"order across cancelled": {kodo.Lifecycle{Delete: 5, To: to(1, 10, 2, -1)}, "deletion after 5 days must come later than IA after 10"},
	} {
		err := test.days.Check()
		if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}
