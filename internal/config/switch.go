package config

import (
	"errors"
	"slices"
	"strings"
)

// The words that stand for whole settings.
const (
	wordOn  = "on"
	wordOff = "off"
)

// switched reads a field that is one of some words or a mapping, and tells
// which word it was.
func switched(s *section, name string, words []string, read func(*section)) (word string) {
	if e := s.n.find(name); e != nil && e.value.kind == isMapping {
		s.section(name, read)
		return ""
	}
	parsed(s, name, &word, func(text string) (string, error) {
		if !slices.Contains(words, text) {
			return "", errors.New("is neither " + strings.Join(words, " nor ") + " nor a mapping")
		}
		return text, nil
	})
	return word
}
