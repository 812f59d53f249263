package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Marks of the part of a page that a table is written to. What people wrote
// around it stays.
const (
	tableBegins = "<!-- made by make bench: do not edit below -->\n"
	tableEnds   = "<!-- end of what is made -->\n"
)

// insert writes a table into a file: between the marks where it has them. A file
// without them that is not empty is somebody's, and an error.
func insert(path, table string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	page, err := insertInto(string(old), table)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(page), 0o644)
}

// errNoMarks is returned for a page without a place for the table.
var errNoMarks = errors.New("the file has no marks of a table, and is not empty")

func insertInto(page, table string) (string, error) {
	if page == "" {
		return tableBegins + "\n" + table + "\n" + tableEnds, nil
	}
	before, rest, begins := strings.Cut(page, tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return "", errNoMarks
	}
	return before + tableBegins + "\n" + table + "\n" + tableEnds + after, nil
}
