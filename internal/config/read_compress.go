package config

import (
	"errors"
	"slices"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

func readCompress(s *section, c *Compress) {
	all := []Encoding{EncodingZstd, EncodingBrotli, EncodingGzip}
	word := switched(s, "compress", []string{wordOn, wordOff}, func(s *section) {
		c.Encodings = all
		if s.has("encodings") {
			c.Encodings = nil
		}
		s.oneOrEach("encodings", func(item *node) { readEncoding(s, item, all, &c.Encodings) })
		if s.has("encodings") && emptyList(s, "encodings") {
			s.failField("encodings", "is empty; write compress: off to compress nothing")
		}
		s.size("min_size", &c.MinSize, 1)
		s.oneOrEach("types", func(item *node) {
			var one string
			if parseNode(s.r, item, &one, parseMediaType) {
				c.Types = append(c.Types, one)
			}
		})
		if s.has("types") && emptyList(s, "types") {
			s.failField("types", "is empty; write compress: off to compress nothing, or remove the line for the usual types")
		}
	})
	if word == wordOn {
		c.Encodings = all
	}
}

func readEncoding(s *section, item *node, known []Encoding, into *[]Encoding) {
	var one Encoding
	ok := parseNode(s.r, item, &one, func(text string) (Encoding, error) {
		if !slices.Contains(known, Encoding(text)) {
			return "", errors.New("is not one of zstd, br, gzip")
		}
		return Encoding(text), nil
	})
	if ok && slices.Contains(*into, one) {
		s.r.fail(item, "%s is listed twice; remove one", one)
	} else if ok {
		*into = append(*into, one)
	}
}

// parseMediaType reads "type/subtype", "type/*" or "+suffix".
func parseMediaType(text string) (string, error) {
	text = strings.ToLower(text)
	kind, subtype, _ := strings.Cut(text, "/")
	if suffix, ok := strings.CutPrefix(text, "+"); ok {
		kind, subtype = suffix, suffix
	}
	if subtype == "*" && kind != "*" {
		subtype = kind
	}
	if !field.ValidName(kind) || !field.ValidName(subtype) || strings.Contains(kind+subtype, "*") {
		return "", errors.New("is not a media type; write text/html, text/* or +json, without parameters")
	}
	return text, nil
}
