package config

import (
	"errors"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// MaxUndoWindow is the most that services[].purge.undo_window may be: what can be
// undone is kept for as long, and nodes take the effect of older purges for final
// (see app).
const MaxUndoWindow = 24 * time.Hour

func readPurge(s *section, purge *Purge) {
	s.prefixes("allow_from", &purge.AllowFrom)
	s.boolean("require_token", &purge.RequireToken)
	choice(s, "dialect", &purge.Dialect, DialectFastly, DialectVarnish)
	s.boolean("refresh", &purge.Refresh)
	s.durationWithin("undo_window", &purge.UndoWindow, 0, MaxUndoWindow)
	readPurgeLimits(s, &purge.Limits)
	s.each("tag_headers", func(item *node) {
		var header TagHeader
		if item.kind == isScalar {
			parseNode(s.r, item, &header.Name, parseFieldName)
		} else {
			s.r.section(item, func(s *section) { readTagHeader(s, &header) })
		}
		for _, other := range purge.TagHeaders {
			if header.Name != "" && field.EqualFold(other.Name, header.Name) {
				s.r.fail(item, "%s is listed twice; remove one", other.Name)
			}
		}
		purge.TagHeaders = append(purge.TagHeaders, header)
	})
	if s.has("tag_headers") && emptyList(s, "tag_headers") {
		s.failField("tag_headers", "is empty; name a field or remove the line, which leaves Surrogate-Key")
	}
}

func (r *reader) readStackPath(top *section) {
	limits := &r.config.StackPath
	limits.PerMinute = defaultURIs
	top.section("stackpath", func(s *section) { s.integer("per_minute", &limits.PerMinute, 0, 1_000_000) })
}

func readPurgeLimits(s *section, limits *PurgeLimits) {
	const most = 1_000_000_000
	word := switched(s, "limits", []string{wordOff}, func(s *section) {
		s.integer("per_hour", &limits.PerHour, 0, most)
		s.integer("all_per_hour", &limits.AllPerHour, 0, most)
	})
	if word == wordOff {
		*limits = PurgeLimits{}
	}
}

func readTagHeader(s *section, header *TagHeader) {
	s.require("name", "say which response field carries the keys")
	parsed(s, "name", &header.Name, parseFieldName)
	parsed(s, "separator", &header.Separator, parseSeparator)
	if s.has("fold_case") {
		header.FoldCase = new(bool)
		s.boolean("fold_case", header.FoldCase)
	} else {
		s.known = append(s.known, "fold_case")
	}
	s.boolean("keep", &header.Keep)
}

func parseFieldName(text string) (string, error) {
	if !field.ValidName(text) {
		return "", errors.New("is not the name of a field")
	}
	return text, nil
}

// parseSeparator admits what no key needs: letters, digits and the colon are
// parts of keys everywhere.
func parseSeparator(text string) (string, error) {
	const allowed = " ,;|"
	if text == "" || len(text) > len(allowed) || strings.Trim(text, allowed) != "" {
		return "", errors.New(`is not a separator; take one or more of space, comma, semicolon and |, such as " " or ", "`)
	}
	return text, nil
}
