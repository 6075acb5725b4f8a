package emulator_test

import (
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// factRow is a row of facts.md: | id | claim | source | state |.
var factRow = regexp.MustCompile(`^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$`)

// factID is how an id is written, and how code cites it.
var (
	factID       = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)
	factCitation = regexp.MustCompile(`fact:([a-z0-9-]*[a-z0-9])`)
)

// TestFacts holds that every fact that the code cites has a row in facts.md,
// that every row is cited, that rows are well formed and in order, and that no
// comment calls something an assumption without saying which.
func TestFacts(t *testing.T) {
	t.Parallel()
	rows := readFacts(t)
	cited := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range factCitation.FindAllStringSubmatch(string(code), -1) {
			cited[match[1]] = true
			if !slices.Contains(rows, match[1]) {
				t.Errorf("%s cites fact:%s, which has no row in facts.md", path, match[1])
			}
		}
		return checkAssumptions(t, path, code)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range rows {
		if !cited[id] {
			t.Errorf("facts.md has the row %s, which no code cites", id)
		}
	}
}

// checkAssumptions wants a citation in every comment that speaks of assumptions.
func checkAssumptions(t *testing.T, path string, code []byte) error {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), path, code, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, comment := range file.Comments {
		text := comment.Text()
		if strings.Contains(strings.ToLower(text), "assum") && !factCitation.MatchString(text) {
			t.Errorf("%s: a comment assumes something and cites no row of facts.md:\n%s", path, text)
		}
	}
	return nil
}

// readFacts returns the ids of facts.md, after checking its form.
func readFacts(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("facts.md")
	if err != nil {
		t.Fatal(err)
	}
	var all, section []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "## ") {
			section = nil
		}
		if !strings.HasPrefix(line, "|") || line == "| id | claim | source | state |" || line == "|---|---|---|---|" {
			continue
		}
		row := factRow.FindStringSubmatch(line)
		if row == nil {
			t.Errorf("facts.md: not a row of four cells: %s", line)
			continue
		}
		id, state := row[1], row[4]
		switch {
		case !factID.MatchString(id):
			t.Errorf("facts.md: %q is not an id", id)
		case slices.Contains(all, id):
			t.Errorf("facts.md: the id %s is there twice", id)
		case len(section) > 0 && section[len(section)-1] > id:
			t.Errorf("facts.md: %s stands after %s", id, section[len(section)-1])
		case !slices.Contains([]string{"documented", "measured", "assumed"}, state):
			t.Errorf("facts.md: %s is %q, not documented, measured or assumed", id, state)
		}
		all, section = append(all, id), append(section, id)
	}
	if len(all) == 0 {
		t.Fatal("facts.md has no row")
	}
	return all
}
