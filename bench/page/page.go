// Package page puts what a measurement found into a page that people wrote, between
// two marks.
package page

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Marks of the part of a page that is made. What people wrote around it stays.
const (
	begins = "<!-- made by make %s: do not edit below -->\n"
	ends   = "<!-- end of what is made -->\n"
)

// ErrNoMarks is returned for a page without a place for what is made.
var ErrNoMarks = errors.New("the file has no marks of what is made, and is not empty")

// Write writes text into a file, between the marks of a make target where the file
// has them, else into a new file. The error wraps ErrNoMarks or is of the file.
func Write(path, target, text string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	page, err := insert(string(old), fmt.Sprintf(begins, target), text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(page), 0o644)
}

func insert(page, mark, text string) (string, error) {
	if page == "" {
		return mark + "\n" + text + "\n" + ends, nil
	}
	before, rest, found := strings.Cut(page, mark)
	_, after, ended := strings.Cut(rest, ends)
	if !found || !ended {
		return "", ErrNoMarks
	}
	return before + mark + "\n" + text + "\n" + ends + after, nil
}
