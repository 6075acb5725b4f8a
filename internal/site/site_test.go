package site_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/site"
)

// Published vectors of Kodo's hash.
const (
	etagEmpty = "Fto5o-5ea0sNMlW_75VgGJCv2AcJ"
	etagHello = "Fqr0xh3cxeii2r7eDztILNmuqUNN"
	etag5MiB  = "lrMhp7oU8rzWSRlmUeGJ73Q2pVa-" // of zeros
)

// write makes files of these contents below a folder. A name that ends in a slash is an empty folder, and a content
// that begins with "-> " makes a symbolic link.
func write(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			err = os.Symlink(target, path)
		} else if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o700)
		} else {
			err = os.WriteFile(path, []byte(content), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// names are those of the files that are published.
func names(t *testing.T, s site.Source) (found []string) {
	t.Helper()
	files, err := s.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.Key != s.Prefix+file.Name {
			t.Errorf("the file %q has the key %q", file.Name, file.Key)
		}
		found = append(found, file.Name)
	}
	return found
}

func TestFilesSelected(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{
		"index.html": "", "a/b/page.html": "", "a/b.css": "", "a.css": "", "A.CSS": "", "empty/": "", "empty/er/": "",
		".env": "", ".git/config": "", "a/.git/HEAD": "", ".well-known/acme": "", ".well-known/.secret": "", "back\\slash": "",
	})
	visible := []string{".well-known/acme", "A.CSS", "a.css", "a/b.css", "a/b/page.html", "back\\slash", "index.html"}
	for name, test := range map[string]struct {
		source site.Source
		want   []string
	}{
		"by default":              {site.Source{}, visible},
		"under a prefix":          {site.Source{Prefix: "docs/"}, visible},
		"hidden":                  {site.Source{Hidden: true, Exclude: []string{"[Aabi]*"}}, []string{".env", ".git/config", ".well-known/.secret", ".well-known/acme"}},
		"one star is one folder":  {site.Source{Include: []string{"*.html"}}, []string{"index.html"}},
		"two stars are any":       {site.Source{Include: []string{"**/*.html"}}, []string{"a/b/page.html", "index.html"}},
		"one of several":          {site.Source{Include: []string{"a/*.{css,js}", "index.*"}}, []string{"a/b.css", "index.html"}},
		"a folder excluded":       {site.Source{Exclude: []string{"a/b", "*.html", "*\\\\*"}}, []string{".well-known/acme", "A.CSS", "a.css", "a/b.css"}},
		"exclude before include":  {site.Source{Include: []string{"**/*.css"}, Exclude: []string{"a/**"}}, []string{"a.css"}},
		"exclude says no to all":  {site.Source{Exclude: []string{"**"}}, nil},
		"include does not unhide": {site.Source{Include: []string{".env", "index.html"}}, []string{"index.html"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.source.Dir = dir
			if diff := cmp.Diff(test.want, names(t, test.source)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFilesLinked(t *testing.T) {
	t.Parallel()
	outside := write(t, t.TempDir(), map[string]string{"far.txt": "hello", "deep/deeper.txt": ""})
	dir := write(t, t.TempDir(), map[string]string{"a.txt": "hello", "b.txt": "-> a.txt", "out": "-> " + outside, "twice": "-> " + outside})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	followed := []string{"a.txt", "b.txt", "out/deep/deeper.txt", "out/far.txt", "twice/deep/deeper.txt", "twice/far.txt"}
	for _, from := range []string{dir, link} {
		if diff := cmp.Diff(followed, names(t, site.Source{Dir: from})); diff != "" {
			t.Errorf("followed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"a.txt"}, names(t, site.Source{Dir: from, Symlinks: site.SkipSymlinks})); diff != "" {
			t.Errorf("skipped (-want +got):\n%s", diff)
		}
	}
	expectProblems(t, site.Source{Dir: dir, Symlinks: site.RefuseSymlinks}, "b.txt", "it is a symbolic link", "out", "it is a symbolic link", "twice", "it is a symbolic link")
	if got := names(t, site.Source{Dir: dir, Symlinks: site.RefuseSymlinks, Exclude: []string{"b.txt", "out", "twice"}}); len(got) != 1 {
		t.Errorf("links that are excluded are refused: %q", got)
	}
}

// expectProblems wants these problems, names and parts of what is said of them in turn, and no others.
func expectProblems(t *testing.T, s site.Source, want ...string) {
	t.Helper()
	_, err := s.Files(t.Context())
	var problems site.Problems
	if !errors.As(err, &problems) || len(problems) != len(want)/2 {
		t.Fatalf("want %d problems, got: %v", len(want)/2, err)
	}
	for i, problem := range problems {
		if problem.Name != want[2*i] || !strings.Contains(problem.Err.Error(), want[2*i+1]) {
			t.Errorf("problem %q: %v, want %q: %s", problem.Name, problem.Err, want[2*i], want[2*i+1])
		}
	}
}

func TestFilesRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long name ", 20) + "/" + strings.Repeat("long name ", 20) + "/" + strings.Repeat("long name ", 20) + "/" + strings.Repeat("long name ", 20)
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"links to nowhere":    {map[string]string{"a": "-> nowhere", "b": "-> b"}, []string{"a", "leads nowhere", "b", "too many levels"}},
		"links back":          {map[string]string{"a/b/c": "-> ../..", "a/b/d": "-> .."}, []string{"a/b/c", "no end", "a/b/d", "no end"}},
		"links back and fore": {map[string]string{"a/to": "-> ../b", "b/to": "-> ../a"}, []string{"a/to/to", "no end", "b/to/to", "no end"}},
		"a name in Latin-1":   {map[string]string{"caf\xe9.html": "", "b.html": ""}, []string{"caf\xe9.html", "UTF-8"}},
		"a long name":         {map[string]string{long: "", "b.html": ""}, []string{long, "750 bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, t.TempDir(), test.files)
			expectProblems(t, site.Source{Dir: dir}, test.want...)
			exclude := []string{"a", "b", "caf*", "long*"}
			if _, err := (site.Source{Dir: dir, Exclude: exclude}).Files(t.Context()); err != nil {
				t.Errorf("what is excluded is refused: %v", err)
			}
			if _, err := (site.Source{Dir: dir, Include: []string{"none"}, Symlinks: site.SkipSymlinks}).Files(t.Context()); err != nil {
				t.Errorf("what is not included is refused: %v", err)
			}
		})
	}
	t.Run("a file that is no directory", func(t *testing.T) {
		t.Parallel()
		dir := write(t, t.TempDir(), map[string]string{"a": ""})
		if _, err := (site.Source{Dir: filepath.Join(dir, "a")}).Files(t.Context()); err == nil || !strings.Contains(err.Error(), "not a directory") {
			t.Errorf("got: %v", err)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		if _, err := (site.Source{Dir: filepath.Join(t.TempDir(), "none")}).Files(t.Context()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got: %v", err)
		}
	})
}

// TestProblemsAreMany says of many problems only the first.
func TestProblemsAreMany(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 200 {
		files[string(rune('a'+i))] = "-> nowhere"
	}
	_, err := site.Source{Dir: write(t, t.TempDir(), files)}.Files(t.Context())
	if err == nil || strings.Count(err.Error(), "\n") != 20 || !strings.Contains(err.Error(), "… and 180 more") {
		t.Errorf("got: %v", err)
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{"empty": "", "hello": "hello", "zeros": string(make([]byte, 5<<20))})
	files, err := site.Source{Dir: dir}.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var hashes site.Hashes
	sum := func() map[string]string {
		if err := hashes.Sum(t.Context(), files); err != nil {
			t.Fatal(err)
		}
		etags := map[string]string{}
		for _, file := range files {
			etags[file.Name] = file.ETag
		}
		return etags
	}
	want := map[string]string{"empty": etagEmpty, "hello": etagHello, "zeros": etag5MiB}
	if diff := cmp.Diff(want, sum()); diff != "" {
		t.Errorf("hashes (-want +got):\n%s", diff)
	}
	if err := os.RemoveAll(dir); err != nil { // what is known is not read again
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, sum()); diff != "" {
		t.Errorf("remembered hashes (-want +got):\n%s", diff)
	}
}

// TestSumOfWhatChanged hashes files that are not what they were when the directory was looked through.
func TestSumOfWhatChanged(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(path string) error
		says   string
	}{
		"vanished": {os.Remove, "vanished"},
		"grown":    {func(path string) error { return os.WriteFile(path, []byte("hello and more"), 0o600) }, "written to"},
		"shrunk":   {func(path string) error { return os.Truncate(path, 1) }, "written to"},
		"replaced": {func(path string) error {
			return errors.Join(os.WriteFile(path+"+", []byte("HELLO"), 0o600), os.Rename(path+"+", path))
		}, "written to"},
		"a folder":  {func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, "directory"},
		"huge":      {func(path string) error { return os.Truncate(path, 9<<20) }, "written to"},
		"unchanged": {func(string) error { return nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, t.TempDir(), map[string]string{"file": "hello"})
			if name == "huge" {
				if err := os.Truncate(filepath.Join(dir, "file"), 8<<20); err != nil {
					t.Fatal(err)
				}
			}
			files, err := site.Source{Dir: dir}.Files(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := test.change(files[0].Path); err != nil {
				t.Fatal(err)
			}
			err = new(site.Hashes).Sum(t.Context(), files)
			if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
}

func TestCheckPattern(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"*", "**", "a/**/b", "**/*.{css,js}", "[a-z]*", "日本/*", ".well-known/**", "a\\*b"} {
		if err := site.CheckPattern(pattern); err != nil {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	for _, pattern := range []string{"", "/a", "./a", "../a", "a/", "[a", "{a,b"} {
		if err := site.CheckPattern(pattern); err == nil {
			t.Errorf("%q is accepted", pattern)
		}
	}
}

func TestCheckPrefix(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "a/", "a/b/", "日本/", "/"} {
		if err := site.CheckPrefix(prefix); err != nil {
			t.Errorf("%q: %v", prefix, err)
		}
	}
	for _, prefix := range []string{"a", "a/b", "caf\xe9/", strings.Repeat("a", 750) + "/"} {
		if err := site.CheckPrefix(prefix); err == nil {
			t.Errorf("%q is accepted", prefix)
		}
	}
}
