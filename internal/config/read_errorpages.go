package config

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readErrorPages reads a mapping of 503, 5xx or default to a file.
func readErrorPages(s *section, pages *[]ErrorPage) {
	for _, e := range s.n.fields {
		from, to, err := parseStatuses(e.name)
		if err != nil {
			s.known = append(s.known, e.name)
			s.r.failAt(e.line, e.column, e.value.path, "%q %s", clip(e.name), err)
			continue
		}
		var file string
		s.path(e.name, &file)
		if file == "" {
			continue
		}
		page := ErrorPage{From: from, To: to}
		if err := s.r.src.readPage(file, &page); err != nil {
			s.failField(e.name, "%s", err)
		}
		*pages = append(*pages, page)
	}
	slices.SortStableFunc(*pages, func(a, b ErrorPage) int { // the narrowest first
		return cmp.Or(cmp.Compare(a.To-a.From, b.To-b.From), cmp.Compare(a.From, b.From))
	})
}

// parseStatuses reads one status, a class of them, or the word default.
func parseStatuses(text string) (from, to int, err error) {
	switch text {
	case "default":
		return 400, 599, nil
	case "4xx":
		return 400, 499, nil
	case "5xx":
		return 500, 599, nil
	}
	status, err := strconv.Atoi(text)
	if err != nil || status < 400 || status > 599 {
		return 0, 0, errors.New("is not a status from 400 to 599, 4xx, 5xx or default")
	}
	return status, status, nil
}

// readPage reads a page's file. Where there are no files, only its name counts.
func (src Source) readPage(file string, page *ErrorPage) error {
	types := map[string]string{
		".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8",
		".json": "application/json", ".txt": "text/plain; charset=utf-8",
	}
	if page.ContentType = types[filepath.Ext(file)]; page.ContentType == "" {
		return errors.New("its name does not end in .html, .json or .txt, which says what it is")
	}
	if src.ReadFile == nil {
		return nil
	}
	body, err := src.ReadFile(file)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	page.Body = body
	return checkPage(body)
}

func checkPage(body []byte) error {
	if len(body) > int(MaxErrorPage) {
		return fmt.Errorf("the file is larger than %s", MaxErrorPage)
	}
	if !utf8.Valid(body) {
		return errors.New("the file is not UTF-8")
	}
	rest := string(body)
	for rest != "" {
		_, after, found := strings.Cut(rest, "{{")
		if !found {
			break
		}
		known := slices.ContainsFunc([]string{PageStatus, PageReason, PageRequestID}, func(placeholder string) bool {
			return strings.HasPrefix("{{"+after, placeholder)
		})
		if !known {
			return fmt.Errorf("the file has a {{ in line %d that does not begin one of %s, %s and %s",
				1+strings.Count(string(body[:len(body)-len(after)]), "\n"), PageStatus, PageReason, PageRequestID)
		}
		rest = after
	}
	return nil
}
