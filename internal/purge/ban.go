package purge

import (
	"slices"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// Part is what a condition of a ban looks at.
type Part uint8

const (
	PartURL    Part = iota + 1 // path and query, as they were asked for
	PartHost                   // the host, with and without its port
	PartStatus                 // the status code, in digits
	PartHeader                 // each line of a response's field, delivered or not
)

// Operator compares a part with a text.
type Operator uint8

const (
	Equal    Operator = iota + 1 // ==
	Unequal                      // !=
	Matches                      // ~: the regular expression matches somewhere
	Mismatch                     // !~
)

func (op Operator) String() string {
	return [...]string{"", "==", "!=", "~", "!~"}[op]
}

func (op Operator) negative() bool { return op == Unequal || op == Mismatch }

// Condition is one condition of a ban.
type Condition struct {
	Part  Part
	Field string // of PartHeader: the field's name
	Op    Operator
	Text  string // what is compared with: a regular expression in the syntax of RE2 where Op matches
}

// Bounds of a ban: what a person writes has two or three conditions, and what a
// program joins together is better sent as several bans.
const (
	maxConditions = 16
	maxBanBytes   = 4096
)

// Ban selects the responses for which all conditions hold. Those that always
// hold are left out, such as a URL that matches ".*"; where no other is left,
// the ban is All. What a response says on several lines or a URL in several
// spellings satisfies a condition if one of them does; a negative condition on
// a header holds where none of its lines satisfies the positive one.
func Ban(conditions ...Condition) (Selector, error) {
	if len(conditions) == 0 || len(conditions) > maxConditions {
		return Selector{}, badSelector("a ban of %d conditions; want 1 to %d", len(conditions), maxConditions)
	}
	var texts []string
	for _, c := range conditions {
		if _, err := c.compile(field.QueryRule{}); err != nil {
			return Selector{}, err
		}
		if !c.always() {
			texts = append(texts, c.String())
		}
	}
	if len(texts) == 0 {
		return All(), nil
	}
	text := strings.Join(texts, " && ")
	if len(text) > maxBanBytes {
		return Selector{}, badSelector("a ban of %d bytes; the limit is %d", len(text), maxBanBytes)
	}
	return Selector{Kind: ByBan, Ban: text}, nil
}

// ParseBan reads a ban as Varnish writes it: conditions such as
// "obj.status == 404", "req.url ~ ^/shop/", "req.http.host == example.com" and
// "obj.http.content-type ~ ^image/" joined by "&&". A text with white space
// stands in double quotes, in which a backslash before a quote or another
// backslash is taken away.
func ParseBan(text string) (Selector, error) {
	conditions, err := parseConditions(text)
	if err != nil {
		return Selector{}, err
	}
	return Ban(conditions...)
}

func parseConditions(text string) ([]Condition, error) {
	if len(text) > maxBanBytes {
		return nil, badSelector("a ban of %d bytes; the limit is %d", len(text), maxBanBytes)
	}
	var conditions []Condition
	for rest := text; ; {
		var words [3]string
		for i, what := range [...]string{"what to look at", "an operator", "something to compare with"} {
			word, after, err := nextWord(rest)
			if err != nil {
				return nil, err
			}
			if word == nil {
				return nil, badSelector("the ban %q ends where %s is expected", clip(text), what)
			}
			words[i], rest = *word, after
		}
		c, err := parseCondition(words)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
		joint, after, err := nextWord(rest)
		switch {
		case err != nil:
			return nil, err
		case joint == nil:
			return conditions, nil
		case *joint != "&&":
			return nil, badSelector("%q follows a condition of a ban; only && joins them", clip(*joint))
		}
		rest = after
	}
}

// nextWord cuts the first word off a text; nil where there is none.
func nextWord(s string) (word *string, rest string, err error) {
	s = strings.TrimLeft(s, " \t")
	if s == "" {
		return nil, "", nil
	}
	if s[0] != '"' {
		end := strings.IndexAny(s, " \t")
		if end < 0 {
			end = len(s)
		}
		w := s[:end]
		return &w, s[end:], nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			w := b.String()
			return &w, s[i+1:], nil
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return nil, "", badSelector("a quote is not closed in %q", clip(s))
}

// quote writes a text so that nextWord reads it.
func quote(s string) string {
	if s != "" && s[0] != '"' && !strings.ContainsAny(s, " \t") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func parseCondition(words [3]string) (Condition, error) {
	c := Condition{Text: words[2]}
	lower := strings.ToLower(words[0])
	switch {
	case lower == "req.url" || lower == "obj.url":
		c.Part = PartURL
	case lower == "req.http.host":
		c.Part = PartHost
	case lower == "obj.status":
		c.Part = PartStatus
	case strings.HasPrefix(lower, "obj.http."):
		c.Part, c.Field = PartHeader, words[0][len("obj.http."):]
	default:
		return c, badSelector("a ban cannot look at %q; it can at req.url, req.http.host, obj.status and obj.http.NAME", clip(words[0]))
	}
	op := slices.Index([]string{"==", "!=", "~", "!~"}, words[1])
	if op < 0 {
		return c, badSelector("%q is no operator of a ban; they are ==, !=, ~ and !~", clip(words[1]))
	}
	c.Op = Operator(op + 1)
	return c, nil
}

// String returns the condition as ParseBan reads it.
func (c Condition) String() string {
	part := [...]string{"", "req.url", "req.http.host", "obj.status", "obj.http."}[c.Part] + c.Field
	return part + " " + c.Op.String() + " " + quote(c.Text)
}

// always tells whether the condition holds for every response. It knows the
// expressions that programs send for "anything".
func (c Condition) always() bool {
	if c.Op != Matches {
		return false
	}
	core, toStart := strings.CutPrefix(c.Text, "^")
	core, toEnd := strings.CutSuffix(core, "$")
	whole := toStart && toEnd
	switch core {
	case "", ".":
		return !whole && (core == "" || c.Part != PartHeader)
	case ".*":
		return true
	case ".+":
		return c.Part != PartHeader // the other parts are never empty
	case "/":
		return c.Part == PartURL && !toEnd
	case "/.*":
		return c.Part == PartURL
	}
	return false
}
