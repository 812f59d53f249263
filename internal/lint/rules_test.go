package lint

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPackageComments(t *testing.T) {
	comments := map[string][]string{} // by folder: the files with a package comment
	names := map[string]string{}
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		names[s.dir()] = s.file.Name.Name
		if s.file.Doc == nil {
			continue
		}
		comments[s.dir()] = append(comments[s.dir()], s.path)
		want := "Package " + s.file.Name.Name + " "
		if s.file.Name.Name == "main" {
			want = "Command " // and the binary's name
		}
		if text := s.file.Doc.Text(); !strings.HasPrefix(text, want) {
			t.Errorf("%s: the package comment does not begin with %q", s.path, want)
		}
	}
	for dir := range names {
		if files := comments[dir]; len(files) != 1 {
			t.Errorf("%s has %d package comments, want one: %v", dir, len(files), files)
		}
	}
}

// maxLines bounds a Go file. A file that reaches it holds more than one idea.
const maxLines = 600

func TestFilesAreSmall(t *testing.T) {
	dir := root(t)
	for _, s := range sources(t) {
		data, err := os.ReadFile(filepath.Join(dir, s.path))
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(data, []byte("\n")); lines > maxLines && !s.isTest() {
			t.Errorf("%s has %d lines; %d are the most", s.path, lines, maxLines)
		}
	}
}

// Paths of somebody's machine, and names of files that are not in the project.
// The patterns are written so that they do not match themselves.
var foreign = regexp.MustCompile(`(?m)(^|[^\w.)/-])/(w[o]rk|r[o]ot|U[s]ers)/\w` +
	`|/h[o]me/[\w.-]+/(go|src|work|projects?)/` +
	`|\b[d]esign\.md\b|\b[D]EVELOPERS\b`)

// maxTextBytes is more than any file that a person wrote.
const maxTextBytes = 1 << 20

func TestNothingForeign(t *testing.T) {
	dir := root(t)
	walk(t, func(name string) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Size() > maxTextBytes {
			return // removed meanwhile, or data
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || bytes.IndexByte(data, 0) >= 0 {
			return
		}
		for _, at := range foreign.FindAllIndex(data, -1) {
			line := 1 + bytes.Count(data[:at[0]+1], []byte("\n"))
			t.Errorf("%s:%d: %q does not belong into the project", name, line, bytes.TrimSpace(data[at[0]:at[1]]))
		}
	})
}

func TestForeignMatches(t *testing.T) {
	for text, want := range map[string]bool{
		"see /wo" + "rk/main": true, "\"/ro" + "ot/x\"": true, "/wo" + "rk/x": true, "the des" + "ign.md says": true,
		"https://example.com/wo" + "rk/x": false, "/ho" + "me/page": false, "a/ro" + "ot/b": false, "redesign.mdx": false,
	} {
		if got := foreign.MatchString(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
