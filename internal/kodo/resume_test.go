package kodo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// Blocks of 4 MiB of the bytes 0 to 4, computed with Python's hashlib; the same with 200 in place of 2; and 0 to 15.
const (
	blocks            = 5
	etagBlocks        = "lpf0s2xwHeCSKj_t7zBBsN0JtJBm"
	etagChangedBlocks = "lqqMm9nOLyDi2gy9DxlH0Qil0W4X"
	etagManyBlocks    = "lvGNnJelDEEQSHpO1pudtLcLwFt7"
	manyBlocks        = 16
)

// writeBlocks makes the file of those hashes.
func writeBlocks(t *testing.T, path string, n int, change ...int) {
	t.Helper()
	content := make([]byte, 0, n*4*mib)
	for i := range n {
		for _, changed := range change {
			if i == changed {
				i = 200
			}
		}
		content = append(content, bytes.Repeat([]byte{byte(i)}, 4*mib)...)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// cutUpload is an upload that an earlier Client could not end, because the server failed at the last part.
type cutUpload struct {
	e         *emulator.Emulator
	dir, path string // of records, of the file
}

func resuming(dir string) func(*kodo.Config) {
	return func(c *kodo.Config) { c.ResumeDir, c.Concurrency = dir, 1 }
}

func cut(t *testing.T) *cutUpload {
	t.Helper()
	u := &cutUpload{dir: filepath.Join(t.TempDir(), ".terraform"), path: filepath.Join(t.TempDir(), "file")}
	writeBlocks(t, u.path, blocks)
	e, c := newEmulator(t, resuming(u.dir), noRetries)
	c.SetResumeFrom(1)
	u.e = e
	fail(t, e, emulator.Fault{Match: emulator.Match{Path: "/buckets/*/5"}, Do: "status", Status: 599})
	if _, err := u.put(t, c); asError(t, err).Code != 599 {
		t.Fatalf("error %v", err)
	}
	e.ClearFaults()
	if got := [2]int{u.count("PUT"), u.count("DELETE")}; got != [2]int{blocks, 0} {
		t.Fatalf("%d parts were sent, %d uploads were given up", got[0], got[1])
	}
	return u
}

// count returns how many requests were made to the uploads of the bucket.
func (u *cutUpload) count(method string) int { return count(u.e, method, "up", "/buckets/") }

func (u *cutUpload) put(t *testing.T, c *kodo.Client, change ...func(*kodo.Put)) (kodo.Stored, error) {
	t.Helper()
	file, err := kodo.OpenFile(u.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	p := put("key", file, kodo.IfAbsent())
	for _, f := range change {
		f(&p)
	}
	return c.Put(t.Context(), p)
}

// again uploads with a new Client, as another process would.
func (u *cutUpload) again(t *testing.T, change ...func(*kodo.Put)) (kodo.Stored, error) {
	t.Helper()
	c := newClient(t, kodo.Endpoints{UC: u.e.Endpoint()}, resuming(u.dir))
	c.SetResumeFrom(1)
	return u.put(t, c, change...)
}

// records returns the files in the folder of records.
func (u *cutUpload) records(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(u.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestResume(t *testing.T) {
	t.Parallel()
	u := cut(t)
	stored, err := u.again(t)
	if err != nil || stored.ETag != etagBlocks || stored.Adopted != nil {
		t.Errorf("%+v, %v", stored, err)
	}
	if got := u.count("PUT") - blocks; got != 1 {
		t.Errorf("%d parts were sent, want the one that was missing", got)
	}
	if got := [2]int{u.count("DELETE"), len(u.records(t))}; got != [2]int{} {
		t.Errorf("%d uploads were given up, %d records are left", got[0], got[1])
	}
	if got := count(u.e, "POST", "up", "/buckets/"); got != 2 {
		t.Errorf("%d uploads were begun or completed, want one of each", got)
	}
}

func TestRecordTellsNothing(t *testing.T) {
	t.Parallel()
	u := cut(t)
	records := u.records(t)
	if len(records) != 1 {
		t.Fatalf("records %q", records)
	}
	info, err := os.Stat(records[0])
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	content, err := os.ReadFile(records[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{accessKey, secretKey, "token", "policy"} {
		if strings.Contains(strings.ToLower(string(content)), strings.ToLower(secret)) {
			t.Errorf("the record holds %q:\n%s", secret, content)
		}
	}
}

// What does not fit any more is begun anew, or sent again, and the object is right whatever was recorded.
func TestResumeWhatHasChanged(t *testing.T) {
	t.Parallel()
	edit := func(change func(lines []string) []string) func(t *testing.T, u *cutUpload) {
		return func(t *testing.T, u *cutUpload) {
			t.Helper()
			path := u.records(t)[0]
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := change(strings.SplitAfter(string(content), "\n"))
			if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	const anew = blocks // all parts are sent, and the old upload is given up
	tests := map[string]struct {
		change    func(t *testing.T, u *cutUpload)
		put       func(*kodo.Put)
		sent      int // parts, of which one is missing anyway
		etag      string
		forgotten bool // nobody knows any more which upload there was
	}{
		"the file": {func(t *testing.T, u *cutUpload) { t.Helper(); writeBlocks(t, u.path, blocks, 2) }, nil, anew, etagChangedBlocks, false},
		"the file, by its name alone": {func(t *testing.T, u *cutUpload) {
			t.Helper()
			if err := os.Rename(u.path, u.path+" moved"); err != nil {
				t.Fatal(err)
			}
			u.path += " moved"
		}, nil, anew, etagBlocks, false},
		"the file, unnoticed": {func(t *testing.T, u *cutUpload) {
			t.Helper()
			info, err := os.Stat(u.path)
			if err != nil {
				t.Fatal(err)
			}
			writeBlocks(t, u.path, blocks, 2)
			if err := os.Chtimes(u.path, time.Time{}, info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, nil, 2, etagChangedBlocks, false},
		"what was planned": {nil, func(p *kodo.Put) { p.ETag = etagBlocks }, anew, etagBlocks, false},
		"a line is cut": {edit(func(lines []string) []string {
			lines[len(lines)-2] = lines[len(lines)-2][:20]
			return lines[:len(lines)-1]
		}), nil, 2, etagBlocks, false},
		"a line is missing": {edit(func(lines []string) []string { return append(lines[:1:1], lines[2:]...) }), nil, 2, etagBlocks, false},
		"a part is another": {edit(func(lines []string) []string {
			lines[1] = strings.Replace(lines[1], `"number":`, `"number":9`, 1)
			return lines
		}), nil, 2, etagBlocks, false},
		"another version": {edit(func(lines []string) []string { lines[0] = strings.Replace(lines[0], `:1,`, `:2,`, 1); return lines }), nil, anew, etagBlocks, false},
		"no such upload": {edit(func(lines []string) []string {
			lines[0] = strings.Replace(lines[0], `"upload_id":"`, `"upload_id":"no`, 1)
			return lines
		}), nil, anew, etagBlocks, false},
		"no record at all":  {edit(func([]string) []string { return nil }), nil, anew, etagBlocks, true},
		"no record of ours": {edit(func([]string) []string { return []string{"hello\n"} }), nil, anew, etagBlocks, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := cut(t)
			if tt.change != nil {
				tt.change(t, u)
			}
			stored, err := u.again(t, func(p *kodo.Put) {
				if tt.put != nil {
					tt.put(p)
				}
			})
			if err != nil || stored.ETag != tt.etag {
				t.Errorf("%+v, %v, want the hash %s", stored, err, tt.etag)
			}
			if got := u.count("PUT") - blocks; got != tt.sent {
				t.Errorf("%d parts were sent, want %d", got, tt.sent)
			}
			if got, want := u.count("DELETE"), map[bool]int{true: 1}[tt.sent == blocks && !tt.forgotten]; got != want {
				t.Errorf("%d uploads were given up, want %d", got, want)
			}
			if left := u.records(t); len(left) != 0 {
				t.Errorf("records %q are left", left)
			}
		})
	}
}

func TestNothingToResume(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		size  int64
		off   bool
		fault emulator.Fault
	}{
		"a small file":   {64*mib - 1, false, emulator.Fault{Do: "status", Status: 599}},
		"turned off":     {64 * mib, true, emulator.Fault{Do: "status", Status: 599}},
		"refused":        {64 * mib, false, emulator.Fault{Do: "status", Status: 400}},
		"refused by 614": {64 * mib, false, emulator.Fault{Do: "status", Status: 614}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := &cutUpload{dir: t.TempDir(), path: filepath.Join(t.TempDir(), "file")}
			if err := os.WriteFile(u.path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(u.path, tt.size); err != nil {
				t.Fatal(err)
			}
			dir := u.dir
			if tt.off {
				dir = ""
			}
			e, c := newEmulator(t, resuming(dir), noRetries)
			u.e = e
			tt.fault.Match = emulator.Match{Method: http.MethodPut, Path: "/buckets/*/16"}
			fail(t, e, tt.fault)
			if _, err := u.put(t, c); err == nil {
				t.Fatal("stored")
			}
			if got := u.count("DELETE"); got != 1 {
				t.Errorf("%d uploads were given up, want 1", got)
			}
			if left := u.records(t); len(left) != 0 {
				t.Errorf("records %q are left", left)
			}
		})
	}
}

// An earlier process completed the upload and was killed before it could remove its record, or somebody else was faster.
func TestRecordOfWhatIsThere(t *testing.T) {
	t.Parallel()
	u := cut(t)
	off := newClient(t, kodo.Endpoints{UC: u.e.Endpoint()})
	if _, err := u.put(t, off); err != nil {
		t.Fatal(err)
	}
	stored, err := u.again(t)
	if err != nil || stored.Adopted == nil {
		t.Errorf("%+v, %v, want it adopted", stored, err)
	}
	if got := [2]int{u.count("DELETE"), len(u.records(t))}; got != [2]int{1, 0} {
		t.Errorf("%d uploads were given up, %d records are left", got[0], got[1])
	}
}

// A wrong clock is no reason to begin anew.
func TestResumeAfterARefusedToken(t *testing.T) {
	t.Parallel()
	u := &cutUpload{dir: t.TempDir(), path: filepath.Join(t.TempDir(), "file")}
	writeBlocks(t, u.path, blocks)
	e, c := newEmulator(t, resuming(u.dir))
	u.e = e
	c.SetResumeFrom(1)
	fail(t, e, emulator.Fault{Match: emulator.Match{Path: "/buckets/*/4"}, Do: "clock_skew", Skew: emulator.Delay(2 * time.Hour)})
	if _, err := u.put(t, c); asError(t, err).Code != 401 {
		t.Fatalf("error %v, want 401", err)
	}
	e.ClearFaults()
	if stored, err := u.again(t); err != nil || stored.ETag != etagBlocks {
		t.Errorf("%+v, %v", stored, err)
	}
	if got := u.count("PUT"); got != blocks+1 {
		t.Errorf("%d parts were sent, want each once and one again", got)
	}
}

// The answer to the completion is lost for good, but the object is there.
func TestRecordOfALostAnswer(t *testing.T) {
	t.Parallel()
	u := &cutUpload{dir: t.TempDir(), path: filepath.Join(t.TempDir(), "file")}
	writeBlocks(t, u.path, blocks)
	e, c := newEmulator(t, resuming(u.dir), noRetries)
	u.e = e
	c.SetResumeFrom(1)
	fail(t, e, emulator.Fault{Match: emulator.Match{Method: http.MethodPost, Path: "/buckets/*/uploads/*"}, Do: "apply_then_drop"})
	if stored, err := u.put(t, c); err != nil || stored.ETag != etagBlocks {
		t.Errorf("%+v, %v", stored, err)
	}
	if left := u.records(t); len(left) != 0 {
		t.Errorf("records %q are left", left)
	}
}

// A record that cannot be written is no reason not to upload.
func TestNoPlaceForARecord(t *testing.T) {
	t.Parallel()
	u := &cutUpload{path: filepath.Join(t.TempDir(), "file")}
	u.dir = filepath.Join(u.path, "below a file")
	writeBlocks(t, u.path, blocks)
	e, c := newEmulator(t, resuming(u.dir))
	u.e = e
	if stored, err := u.put(t, c); err != nil || stored.ETag != etagBlocks {
		t.Errorf("%+v, %v", stored, err)
	}
}

func TestOldRecordsAreSweptAway(t *testing.T) {
	t.Parallel()
	u := cut(t)
	own := u.records(t)[0]
	old, young, foreign := filepath.Join(u.dir, "kodo-upload-old"), filepath.Join(u.dir, "kodo-upload-young"), filepath.Join(u.dir, "environment")
	for path, age := range map[string]time.Duration{old: 8 * 24 * time.Hour, young: 6 * 24 * time.Hour, foreign: 365 * 24 * time.Hour} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := u.again(t); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{own: false, old: false, young: true, foreign: true} {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) == want {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
}

// TestKilledUpload kills a process in the middle of its upload, and resumes in this one.
func TestKilledUpload(t *testing.T) {
	t.Parallel()
	u := &cutUpload{dir: t.TempDir(), path: filepath.Join(t.TempDir(), "file")}
	writeBlocks(t, u.path, manyBlocks)
	u.e, _ = newEmulator(t)
	fail(t, u.e, emulator.Fault{Match: emulator.Match{Path: "/buckets/*/16"}, Times: 1, Do: "delay", Delay: emulator.Delay(time.Hour)})

	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	killed := exec.CommandContext(ctx, program)
	killed.Env = []string{childUpload + "=" + strings.Join([]string{u.e.Endpoint(), u.dir, u.path}, "\n"), "GOCOVERDIR=" + t.TempDir()}
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	for recorded := 0; recorded < manyBlocks; { // what is uploaded, and 15 parts of it
		time.Sleep(10 * time.Millisecond)
		if ctx.Err() != nil {
			t.Fatalf("%d lines are recorded", recorded)
		}
		for _, path := range u.records(t) {
			content, err := os.ReadFile(path)
			if err == nil {
				recorded = strings.Count(string(content), "\n")
			}
		}
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := killed.Wait(); !errors.As(err, &exit) {
		t.Fatal(err)
	}
	puts := u.count("PUT")
	stored, err := u.put(t, newClient(t, kodo.Endpoints{UC: u.e.Endpoint()}, resuming(u.dir)))
	if err != nil || stored.ETag != etagManyBlocks {
		t.Errorf("%+v, %v", stored, err)
	}
	if got := u.count("PUT") - puts; got != 1 {
		t.Errorf("%d parts were sent, want the one that was missing", got)
	}
	if left := u.records(t); len(left) != 0 {
		t.Errorf("records %q are left", left)
	}
}

// childUpload is set for a process that uploads a file and is killed meanwhile: endpoint, folder of records, file.
const childUpload = "KODO_TEST_UPLOAD_OF_CHILD"

func uploadChild(what string) int {
	fields := strings.Split(what, "\n")
	c, err := kodo.New(kodo.Config{
		AccessKey: accessKey, SecretKey: secretKey, Endpoints: kodo.Endpoints{UC: fields[0]}, ResumeDir: fields[1], Concurrency: 2,
		IdleTimeout: time.Hour,
	})
	if err == nil {
		var file *kodo.File
		if file, err = kodo.OpenFile(fields[2]); err == nil {
			_, err = c.Put(context.Background(), put("key", file, kodo.IfAbsent()))
		}
	}
	fmt.Fprintln(os.Stderr, "the upload was to be killed:", err)
	return 0
}

func TestProgress(t *testing.T) {
	t.Parallel()
	var got []kodo.Progress
	_, c := newEmulator(t, func(c *kodo.Config) {
		c.Concurrency = 1
		c.Progress = func(_ context.Context, p kodo.Progress) { got = append(got, p) }
	})
	if _, err := c.Put(t.Context(), put("key", zeros(13*mib), kodo.IfAbsent())); err != nil {
		t.Fatal(err)
	}
	var want []kodo.Progress
	for _, sent := range []int64{4 * mib, 8 * mib, 12 * mib, 13 * mib} {
		want = append(want, kodo.Progress{Bucket: "bucket", Key: "key", Sent: sent, Size: 13 * mib})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}
