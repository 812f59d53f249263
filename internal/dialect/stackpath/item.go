package stackpath

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/purge"
)

// body of a purge. The older API has a list where this has items.
type body struct {
	Items []item `json:"items"`
	List  []item `json:"list"`
}

// item is one URI to purge. Members that it does not know are ignored, and so
// are purgeAllDynamic and headers, which are about variants: all of them go.
type item struct {
	URL        string    `json:"url"`
	Recursive  bool      `json:"recursive"`
	Invalidate bool      `json:"invalidateOnly"` // soft
	Selectors  selectors `json:"purgeSelector"`
}

// selector is a condition on a field of the response.
type selector struct {
	Type      string `json:"selectorType"` // HEADER, also where it is empty, or TAG
	Name      string `json:"selectorName"`
	Value     string `json:"selectorValue"`
	Delimiter string `json:"selectorValueDelimiter"` // of TAG; empty: ","
}

// selectors is a list, one selector without a list, or null.
type selectors []selector

// UnmarshalJSON implements json.Unmarshaler.
func (s *selectors) UnmarshalJSON(text []byte) error {
	text = bytes.TrimSpace(text)
	if len(text) > 0 && text[0] == '{' {
		var one selector
		if err := json.Unmarshal(text, &one); err != nil {
			return err
		}
		if one != (selector{}) {
			*s = selectors{one}
		}
		return nil
	}
	return json.Unmarshal(text, (*[]selector)(s))
}

// parse reads what a body asks for.
func parse(text []byte) ([]item, error) {
	var b body
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf(`%w: the body must be {"items":[{"url":"//host/path"}]}: %w`, control.ErrBadRequest, err)
	}
	items := append(b.Items, b.List...)
	if len(items) == 0 {
		return nil, fmt.Errorf("%w: no items", control.ErrBadRequest)
	}
	return items, nil
}

// selected returns what an item names.
func (i item) selected() ([]purge.Selector, error) {
	scope, err := i.scope()
	if err != nil || len(i.Selectors) == 0 {
		return []purge.Selector{scope}, err
	}
	var all []purge.Selector
	for _, s := range i.Selectors {
		match, err := s.selected()
		if err != nil {
			return nil, err
		}
		if match, err = match.Under(scope); err != nil {
			return nil, err
		}
		all = append(all, match)
	}
	return all, nil
}

// scope returns the URL of an item, or with recursive all below it: a URL with
// every query, a directory with all in it, a host with everything.
func (i item) scope() (purge.Selector, error) {
	switch {
	case i.URL == "":
		return purge.Selector{}, fmt.Errorf("%w: an item without a url", control.ErrBadRequest)
	case !i.Recursive:
		return purge.URL(i.URL)
	}
	under := strings.TrimSuffix(i.URL, "*")
	s, err := purge.Path(under)
	if err == nil && s.Target.Host != "" && s.Target.Path == "/" {
		return purge.Host(s.Target.Host)
	}
	return s, err
}

// selected returns the selector of a field, whose elements are tested one by
// one where it holds tags.
func (s selector) selected() (purge.Selector, error) {
	separator := ""
	switch strings.ToUpper(s.Type) {
	case "", "HEADER":
	case "TAG":
		if separator = s.Delimiter; separator == "" {
			separator = ","
		}
	default:
		return purge.Selector{}, fmt.Errorf("%w: selectorType %q is neither HEADER nor TAG", control.ErrBadRequest, s.Type)
	}
	return purge.Header(s.Name, s.Value, separator)
}
