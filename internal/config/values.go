package config

import (
	"errors"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// text reads a value that is not empty.
func (s *section) text(name string, into *string) {
	n := s.scalar(name)
	if n == nil {
		return
	}
	if n.text == "" {
		s.r.fail(n, "is empty; give it a value or remove the line")
		return
	}
	*into = n.text
}

// parsed reads a value by a function whose error continues `"value" …`.
func parsed[T any](s *section, name string, into *T, parse func(string) (T, error)) {
	if n := s.get(name); n != nil {
		parseNode(s.r, n, into, parse)
	}
}

// parseNode is parsed for a node that is no field. It tells whether it set into.
func parseNode[T any](r *reader, n *node, into *T, parse func(string) (T, error)) bool {
	if !r.want(n, isScalar) {
		return false
	}
	value, err := parse(n.text)
	if err != nil {
		r.fail(n, "%q %s", clip(n.shown), err)
		return false
	}
	*into = value
	return true
}

// choice reads one of a few words.
func choice[T ~string](s *section, name string, into *T, words ...T) {
	parsed(s, name, into, func(text string) (T, error) {
		known := make([]string, len(words))
		for i, word := range words {
			if known[i] = string(word); text == known[i] {
				return word, nil
			}
		}
		return "", errors.New("is not one of " + strings.Join(known, ", "))
	})
}

func (s *section) boolean(name string, into *bool) {
	parsed(s, name, into, func(text string) (bool, error) {
		if text != "true" && text != "false" {
			return false, errors.New("is neither true nor false")
		}
		return text == "true", nil
	})
}

// integer reads a whole number within bounds, both included.
func (s *section) integer(name string, into *int, least, most int) {
	parsed(s, name, into, func(text string) (int, error) {
		value, err := strconv.ParseUint(text, 10, 31)
		if err != nil || int(value) < least || int(value) > most {
			return 0, errors.New("is not a whole number from " + strconv.Itoa(least) + " to " + strconv.Itoa(most))
		}
		return int(value), nil
	})
}

// duration reads a duration of at least the given length.
func (s *section) duration(name string, into *time.Duration, least time.Duration) {
	s.durationWithin(name, into, least, math.MaxInt64)
}

// durationWithin reads a duration of at least and at most the given ones.
func (s *section) durationWithin(name string, into *time.Duration, least, most time.Duration) {
	parsed(s, name, into, func(text string) (time.Duration, error) {
		value, err := ParseDuration(text)
		switch {
		case err != nil:
		case value < least:
			err = errors.New("is too short; " + durationText(least) + " is the least")
		case value > most:
			err = errors.New("is too long; " + durationText(most) + " is the most")
		}
		return value, err
	})
}

// size reads a size of at least the given one.
func (s *section) size(name string, into *Size, least Size) {
	parsed(s, name, into, func(text string) (Size, error) {
		value, err := ParseSize(text)
		if err == nil && value < least {
			err = errors.New("is too small; " + least.String() + " is the least")
		}
		return value, err
	})
}

// path reads a path and makes it absolute.
func (s *section) path(name string, into *string) {
	parsed(s, name, into, s.r.src.resolve)
}

// resolve makes a path absolute: "~" is the home directory, and what is
// relative starts at the file's directory.
func (src Source) resolve(path string) (string, error) {
	switch {
	case path == "":
		return "", errors.New("is not a path")
	case path == "~" || strings.HasPrefix(path, "~/"):
		home, ok := src.Env("HOME")
		if !ok || home == "" {
			return "", errors.New("starts with ~, but the environment variable HOME is not set")
		}
		return filepath.Join(home, path[1:]), nil
	case filepath.IsAbs(path):
		return filepath.Clean(path), nil
	}
	return filepath.Join(src.Dir, path), nil
}
