package varnish

import (
	"regexp/syntax"
	"strings"
)

// Bounds of the texts that an expression is written out as: one request of
// Magento, the most talkative client, names some hundred tags in 8 KB, in four
// texts each.
const (
	maxTexts     = 16 << 10
	maxTextBytes = 1 << 20
)

// What stands in a text for what is not a character. No tag holds these.
const (
	textBegin = "\x00" // the beginning of the value
	textEnd   = "\x01" // its end
	textRest  = "\x02" // anything
)

// union is what an expression for a list of tags, separated by commas, comes
// down to.
type union struct {
	tags []string // in their order, each once
	all  bool     // it matches any list
}

// parseUnion reads an expression that is met by lists which hold one of some
// tags and no others: each alternative is a whole tag, a comma or the end of
// the value behind it. Before it clients also write nothing, and mean the same.
// ok is false for all other expressions.
func parseUnion(expression string) (u union, ok bool) {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return union{}, false
	}
	room := maxTextBytes
	texts, ok := expand(re, &room)
	if !ok {
		return union{}, false
	}
	seen := map[string]bool{}
	for _, text := range texts {
		tag, whole := cutTag(text)
		if !whole {
			return union{}, false
		}
		u.all = u.all || tag == ""
		if tag != "" && !seen[tag] {
			seen[tag] = true
			u.tags = append(u.tags, tag)
		}
	}
	return u, len(texts) > 0
}

// cutTag returns the tag that a text is, "" where it is any list at all.
func cutTag(text string) (tag string, ok bool) {
	anchored := strings.HasPrefix(text, textBegin)
	text = strings.TrimPrefix(text, textBegin)
	if rest := strings.TrimSuffix(text, textEnd); rest == "" || rest == textRest {
		return "", rest == textRest || !(anchored && rest != text) // "^$" matches no tags
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, textRest), ",")
	text, ended := strings.CutSuffix(text, textEnd)
	text, open := strings.CutSuffix(text, textRest)
	text, comma := strings.CutSuffix(text, ",")
	if !comma && (!ended || open) {
		return "", false // a tag that only begins so is met, too
	}
	text = strings.TrimSpace(text)
	return text, text != "" && !strings.ContainsAny(text, ","+textBegin+textEnd+textRest)
}

// expand writes an expression out as all the texts that meet it. room is how
// many bytes they may still take.
func expand(re *syntax.Regexp, room *int) ([]string, bool) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return []string{""}, true
	case syntax.OpLiteral:
		text := string(re.Rune)
		plain := re.Flags&syntax.FoldCase == 0 || strings.ToUpper(text) == strings.ToLower(text)
		return spend([]string{text}, room, plain && !strings.ContainsAny(text, textBegin+textEnd+textRest))
	case syntax.OpBeginText, syntax.OpBeginLine:
		return []string{textBegin}, true
	case syntax.OpEndText, syntax.OpEndLine:
		return []string{textEnd}, true
	case syntax.OpCapture:
		return expand(re.Sub[0], room)
	case syntax.OpCharClass:
		return expandClass(re.Rune, room)
	case syntax.OpStar, syntax.OpPlus:
		any := re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL
		return []string{textRest}, any
	case syntax.OpQuest:
		texts, ok := expand(re.Sub[0], room)
		return append(texts, ""), ok
	case syntax.OpAlternate:
		return expandEach(re.Sub, room)
	case syntax.OpConcat:
		return expandAll(re.Sub, room)
	}
	return nil, false
}

func expandEach(alternatives []*syntax.Regexp, room *int) (texts []string, ok bool) {
	for _, sub := range alternatives {
		more, ok := expand(sub, room)
		if texts = append(texts, more...); !ok || len(texts) > maxTexts {
			return nil, false
		}
	}
	return texts, true
}

func expandAll(pieces []*syntax.Regexp, room *int) ([]string, bool) {
	texts := []string{""}
	for _, sub := range pieces {
		ends, ok := expand(sub, room)
		if !ok || len(texts)*len(ends) > maxTexts {
			return nil, false
		}
		longer := make([]string, 0, len(texts)*len(ends))
		for _, begin := range texts {
			for _, end := range ends {
				longer = append(longer, begin+end)
				if *room -= len(begin) + len(end); *room < 0 {
					return nil, false
				}
			}
		}
		texts = longer
	}
	return texts, true
}

// maxClass is the largest set of characters that is written out: expressions
// that a program put together have small ones, where tags share a beginning.
const maxClass = 64

func expandClass(ranges []rune, room *int) (texts []string, ok bool) {
	for i := 0; i+1 < len(ranges); i += 2 {
		if int(ranges[i+1]-ranges[i]) >= maxClass-len(texts) {
			return nil, false
		}
		for c := ranges[i]; c <= ranges[i+1]; c++ {
			if c < ' ' {
				return nil, false
			}
			texts = append(texts, string(c))
		}
	}
	return spend(texts, room, true)
}

func spend(texts []string, room *int, ok bool) ([]string, bool) {
	for _, text := range texts {
		*room -= len(text)
	}
	return texts, ok && *room >= 0
}
