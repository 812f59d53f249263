package purge

import "github.com/rescind-edge/rescind/internal/field"

// Subject is what purges are tested against: the Head of a stored response, or
// what is known of a response to come. Texts that it returns are used during
// the call only.
type Subject interface {
	NumTags() int
	Tag(i int) field.Tag

	// URL returns the absolute URL that was asked for; "" where it is not known:
	// no condition on it holds.
	URL() string
	// Status returns the status code; 0 while the head is not known: no
	// predicate that looks at more than the URL matches yet.
	Status() int
	// NumFields counts the field lines of the head, and Field returns one of
	// them. Those that are not delivered are among them.
	NumFields() int
	Field(i int) (f field.Field, hidden bool)
}

func carries(o Subject, tag field.Tag) bool {
	for i := range o.NumTags() {
		if o.Tag(i) == tag {
			return true
		}
	}
	return false
}

// Tags is a response of which nothing but its tags is known. No predicate
// matches it.
type Tags []field.Tag

// NumTags implements Subject.
func (t Tags) NumTags() int { return len(t) }

// Tag implements Subject.
func (t Tags) Tag(i int) field.Tag { return t[i] }

// URL implements Subject: it is not known.
func (t Tags) URL() string { return "" }

// Status implements Subject: the head is not known.
func (t Tags) Status() int { return 0 }

// NumFields implements Subject: there are none.
func (t Tags) NumFields() int { return 0 }

// Field implements Subject; there is nothing to ask for.
func (t Tags) Field(int) (field.Field, bool) { return field.Field{}, false }

// Response is a response that is not stored, or not yet.
type Response struct {
	Tags
	url    string
	status int
	fields field.Fields
}

// NewResponse returns a response with tags, for an absolute URL. While its head
// is not known, status is 0 and there are no fields.
func NewResponse(tags Tags, url string, status int, fields field.Fields) *Response {
	return &Response{Tags: tags, url: url, status: status, fields: fields}
}

// URL implements Subject.
func (r *Response) URL() string { return r.url }

// Status implements Subject.
func (r *Response) Status() int { return r.status }

// NumFields implements Subject.
func (r *Response) NumFields() int { return len(r.fields) }

// Field implements Subject. No line counts as hidden.
func (r *Response) Field(i int) (field.Field, bool) { return r.fields[i], false }
