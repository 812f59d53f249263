package accesslog

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rescind-edge/rescind/internal/event"
)

// SyntaxError says what is wrong with a format string, and where.
type SyntaxError struct {
	Position int // bytes before it, plus one
	Problem  string
	Err      error // what it wraps; may be nil
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("format, position %d: %s", e.Position, e.Problem)
}

// Unwrap returns Err.
func (e *SyntaxError) Unwrap() error { return e.Err }

// piece is a part of a format: a literal, or one value.
type piece struct {
	literal string
	value   value
	quoted  bool // the value stands between double quotes
}

func (p *piece) append(dst []byte, e *event.Request) []byte {
	switch {
	case p.value.text != nil:
		return appendEscaped(dst, p.value.text(e), p.quoted)
	case p.value.safe != nil:
		return p.value.safe(dst, e)
	}
	return append(dst, p.literal...)
}

// parser reads a format string from left to right.
type parser struct {
	text    string
	at      int
	literal []byte // read, and not yet a piece
	quoted  bool   // an odd number of double quotes was read
	pieces  []piece
}

func parse(text string) ([]piece, error) {
	if len(text) > maxFormatBytes {
		return nil, &SyntaxError{Position: maxFormatBytes + 1, Problem: fmt.Sprintf("longer than %d bytes", maxFormatBytes)}
	}
	p := &parser{text: text}
	for p.at < len(p.text) {
		step := p.readLiteral
		if p.text[p.at] == '%' {
			step = p.readDirective
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	p.flush()
	for _, one := range p.pieces {
		if one.literal == "" {
			return p.pieces, nil
		}
	}
	return nil, &SyntaxError{Position: 1, Problem: "holds no directive, and is not the name of a format (json, common, combined)"}
}

func (p *parser) flush() {
	if len(p.literal) > 0 {
		p.pieces = append(p.pieces, piece{literal: string(p.literal)})
		p.literal = nil
	}
}

func (p *parser) readLiteral() error {
	r, n := utf8.DecodeRuneInString(p.text[p.at:])
	if r != '\t' && (!unicode.IsPrint(r) || r == utf8.RuneError && n == 1) {
		return p.errorf(p.at, "%q does not print", p.text[p.at:p.at+n])
	}
	if r == '"' {
		p.quoted = !p.quoted
	}
	p.literal = append(p.literal, p.text[p.at:p.at+n]...)
	p.at += n
	return nil
}

// readDirective reads %%, %x, %>s and %{argument}x.
func (p *parser) readDirective() error {
	start := p.at
	p.at++
	var argument string
	hasArgument := false
	if strings.HasPrefix(p.text[p.at:], "{") {
		end := strings.IndexByte(p.text[p.at:], '}')
		if end < 0 {
			return p.errorf(start, "%%{ without }")
		}
		argument, hasArgument = p.text[p.at+1:p.at+end], true
		p.at += end + 1
	} else if strings.HasPrefix(p.text[p.at:], ">s") {
		p.at++ // Apache's word for the last status of several
	}
	if p.at == len(p.text) {
		return p.errorf(start, "%% without a directive; a percent sign is written %%%%")
	}
	r, n := utf8.DecodeRuneInString(p.text[p.at:])
	p.at += n
	if r == '%' && !hasArgument {
		p.literal = append(p.literal, '%')
		return nil
	}
	v, err := lookUp(r, argument, hasArgument)
	if err != nil {
		return &SyntaxError{Position: start + 1, Problem: err.Error(), Err: err}
	}
	p.flush()
	p.pieces = append(p.pieces, piece{value: v, quoted: p.quoted})
	return nil
}

func (p *parser) errorf(at int, format string, args ...any) error {
	return &SyntaxError{Position: at + 1, Problem: fmt.Sprintf(format, args...)}
}
