package server

import (
	"errors"

	"github.com/rescind-edge/rescind/internal/field"
)

// SendFields implements FastWriter. It is not for HTTP/1.
func (*fastCall) SendFields(int, field.Fields, [][]byte) (int64, error) {
	return 0, errors.ErrUnsupported
}
