package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// tableMarks returns the marks of the part of a page that a table is written to.
// What people wrote around it stays, and so do other parts.
func tableMarks(part string) (begins, ends string) {
	if part != "" {
		part = " " + part
	}
	return "<!-- made by make bench" + part + ": do not edit below -->\n", "<!-- end of what is made" + part + " -->\n"
}

// insert writes a table into a file: between the marks where it has them. A file
// without them that is not empty is somebody's, and an error.
func insert(path, part, table string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	page, err := insertInto(string(old), part, table)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(page), 0o644)
}

// errNoMarks is returned for a page without a place for the table.
var errNoMarks = errors.New("the file has no marks of a table, and is not empty")

func insertInto(page, part, table string) (string, error) {
	tableBegins, tableEnds := tableMarks(part)
	if page == "" {
		return tableBegins + "\n" + table + "\n" + tableEnds, nil
	}
	before, rest, began := strings.Cut(page, tableBegins)
	_, after, ended := strings.Cut(rest, tableEnds)
	if !began || !ended {
		return "", errNoMarks
	}
	return before + tableBegins + "\n" + table + "\n" + tableEnds + after, nil
}
