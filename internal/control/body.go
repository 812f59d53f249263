package control

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	replicated "github.com/rescind-edge/rescind/internal/journal/state"
	"github.com/rescind-edge/rescind/internal/purge"
)

// What nodes tell each other of purges is in the encoding of Protocol Buffers,
// field by field: a field that is not known is passed over, so that versions may
// differ during an upgrade. The numbers are on the wire and on disk; none is ever
// given another meaning.

// Fields of a purge.
const (
	purgeID       protowire.Number = 1
	purgeService  protowire.Number = 2
	purgeAccepted protowire.Number = 3 // Unix nanoseconds
	purgeMode     protowire.Number = 4 // 0 hard, 1 soft
	purgeTTL      protowire.Number = 5 // nanoseconds, zigzag, as the next two
	purgeGrace    protowire.Number = 6
	purgeKeep     protowire.Number = 7
	purgeSelector protowire.Number = 8 // repeated
	purgeActor    protowire.Number = 9
	purgeDialect  protowire.Number = 10
	purgeNote     protowire.Number = 11
	purgeNode     protowire.Number = 12 // where it was accepted
)

// Fields of a selector.
const (
	selectorKind   protowire.Number = 1
	selectorScheme protowire.Number = 2
	selectorHost   protowire.Number = 3
	selectorPath   protowire.Number = 4
	selectorQuery  protowire.Number = 5 // there where the URL has a "?"
	selectorKey    protowire.Number = 6
	selectorScope  protowire.Number = 7 // the kind by which the URL bounds a header or ban
	selectorBan    protowire.Number = 8

	selectorHeaderName      protowire.Number = 9
	selectorHeaderValue     protowire.Number = 10
	selectorHeaderSeparator protowire.Number = 11
	selectorHeaderFold      protowire.Number = 12 // 1: the value's case does not count
)

// Fields of a revert.
const (
	revertID    protowire.Number = 1 // of the purge
	revertActor protowire.Number = 2
	revertTime  protowire.Number = 3 // Unix nanoseconds
)

// Fields of a token that was revoked.
const (
	revokedID   protowire.Number = 1
	revokedTime protowire.Number = 2 // milliseconds of Unix time
)

// errBadBody is wrapped by the error about a body that is not what its kind says.
var errBadBody = errors.New("control: an entry that cannot be read")

// appendPurge encodes what other nodes need to carry a purge out.
func appendPurge(b []byte, r *Receipt) []byte {
	b = appendBytes(b, purgeID, r.ID[:])
	b = appendText(b, purgeService, r.Service)
	b = appendInt(b, purgeAccepted, r.Accepted.UnixNano())
	if r.Effect.Mode == purge.Soft {
		b = appendInt(b, purgeMode, int64(purge.Soft))
		b = appendInt(b, purgeTTL, int64(r.Effect.TTL))
		b = appendInt(b, purgeGrace, int64(r.Effect.Grace))
		b = appendInt(b, purgeKeep, int64(r.Effect.Keep))
	}
	for i := range r.Selectors {
		b = protowire.AppendTag(b, purgeSelector, protowire.BytesType)
		b = protowire.AppendBytes(b, appendSelector(nil, &r.Selectors[i]))
	}
	b = appendText(b, purgeActor, r.Actor)
	b = appendText(b, purgeDialect, r.Dialect)
	b = appendText(b, purgeNote, r.Note)
	return appendText(b, purgeNode, r.Node)
}

func appendSelector(b []byte, s *purge.Selector) []byte {
	b = appendInt(b, selectorKind, int64(s.Kind))
	b = appendText(b, selectorScheme, s.Target.Scheme)
	b = appendText(b, selectorHost, s.Target.Host)
	b = appendText(b, selectorPath, s.Target.Path)
	if s.Target.HasQuery {
		b = appendBytes(b, selectorQuery, []byte(s.Target.Query))
	}
	b = appendText(b, selectorKey, s.Key)
	if s.Scope != 0 {
		b = appendInt(b, selectorScope, int64(s.Scope))
	}
	b = appendText(b, selectorBan, s.Ban)
	b = appendText(b, selectorHeaderName, s.Header.Name)
	b = appendText(b, selectorHeaderValue, s.Header.Value)
	b = appendText(b, selectorHeaderSeparator, s.Header.Separator)
	if s.Header.Fold {
		b = appendInt(b, selectorHeaderFold, 1)
	}
	return b
}

func appendBytes(b []byte, n protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
}

func appendText(b []byte, n protowire.Number, v string) []byte {
	if v == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), v)
}

func appendInt(b []byte, n protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), protowire.EncodeZigZag(v))
}

// parsePurge reads what appendPurge wrote. Words that are the same as in like, of
// the purge before, share its memory. The error wraps errBadBody.
func parsePurge(b []byte, like *words) (Receipt, error) {
	var r Receipt
	err := eachField(b, func(n protowire.Number, v int64, data []byte) error {
		switch n {
		case purgeID:
			if copy(r.ID[:], data) != len(r.ID) || len(data) != len(r.ID) {
				return fmt.Errorf("%w: the id has %d bytes", errBadBody, len(data))
			}
		case purgeService:
			r.Service = like.service.of(data)
		case purgeAccepted:
			r.Accepted = time.Unix(0, v)
		case purgeMode:
			if v < int64(purge.Hard) || v > int64(purge.Soft) {
				return fmt.Errorf("%w: mode %d is not known", errBadBody, v)
			}
			r.Effect.Mode = purge.Mode(v)
		case purgeTTL:
			r.Effect.TTL = time.Duration(v)
		case purgeGrace:
			r.Effect.Grace = time.Duration(v)
		case purgeKeep:
			r.Effect.Keep = time.Duration(v)
		case purgeSelector:
			s, err := parseSelector(data)
			if err != nil {
				return err
			}
			if r.Selectors = append(r.Selectors, s); len(r.Selectors) > purge.MaxKeys {
				return fmt.Errorf("%w: more than %d selectors", errBadBody, purge.MaxKeys)
			}
		case purgeActor:
			r.Actor = like.actor.of(data)
		case purgeDialect:
			r.Dialect = like.dialect.of(data)
		case purgeNote:
			r.Note = string(data)
		case purgeNode:
			r.Node = like.node.of(data)
		}
		return nil
	})
	if err == nil && (r.ID.IsZero() || r.Service == "" || len(r.Selectors) == 0) {
		err = fmt.Errorf("%w: no id, no service or no selector", errBadBody)
	}
	r.Effect.At = r.Accepted.UnixNano()
	return r, err
}

// words are those of which many purges in a row have the same.
type words struct{ service, actor, dialect, node name }

type name string

// of returns a text as a string: the last one, if it is the same.
func (n *name) of(text []byte) string {
	if string(*n) != string(text) {
		*n = name(text)
	}
	return string(*n)
}

// parseSelector reads a selector. Of one of a kind that only a later version has, or
// that says none, it is not known here what it selects, so it selects everything; and
// what is bounded in a way that is not known here is not bounded.
func parseSelector(b []byte) (s purge.Selector, err error) {
	s.Kind = purge.ByAll
	err = eachField(b, func(n protowire.Number, v int64, data []byte) error {
		switch n {
		case selectorKind:
			s.Kind = purge.Kind(v)
			if int64(s.Kind) != v || s.Kind.String() == "unknown" {
				s.Kind = purge.ByAll
			}
		case selectorScheme:
			s.Target.Scheme = string(data)
		case selectorHost:
			s.Target.Host = string(data)
		case selectorPath:
			s.Target.Path = string(data)
		case selectorQuery:
			s.Target.Query, s.Target.HasQuery = string(data), true
		case selectorKey:
			s.Key = string(data)
		case selectorScope:
			if scope := purge.Kind(v); v == int64(purge.ByURL) || v == int64(purge.ByPath) || v == int64(purge.ByHost) {
				s.Scope = scope
			}
		case selectorBan:
			s.Ban = string(data)
		case selectorHeaderName:
			s.Header.Name = string(data)
		case selectorHeaderValue:
			s.Header.Value = string(data)
		case selectorHeaderSeparator:
			s.Header.Separator = string(data)
		case selectorHeaderFold:
			s.Header.Fold = v == 1
		}
		return nil
	})
	return s, err
}

func appendRevert(b []byte, rev *Reverted) []byte {
	b = appendBytes(b, revertID, rev.ID[:])
	b = appendText(b, revertActor, rev.Actor)
	return appendInt(b, revertTime, rev.Time.UnixNano())
}

// parseRevert reads what appendRevert wrote. The error wraps errBadBody.
func parseRevert(b []byte) (Reverted, error) {
	var rev Reverted
	err := eachField(b, func(n protowire.Number, v int64, data []byte) error {
		switch n {
		case revertID:
			if copy(rev.ID[:], data) != len(rev.ID) || len(data) != len(rev.ID) {
				return fmt.Errorf("%w: the id has %d bytes", errBadBody, len(data))
			}
		case revertActor:
			rev.Actor = string(data)
		case revertTime:
			rev.Time = time.Unix(0, v)
		}
		return nil
	})
	if err == nil && rev.ID.IsZero() {
		err = fmt.Errorf("%w: no id", errBadBody)
	}
	return rev, err
}

// parseRevoked reads which token was revoked, and when.
func parseRevoked(b []byte) (id string, at int64, err error) {
	err = eachField(b, func(n protowire.Number, v int64, data []byte) error {
		switch n {
		case revokedID:
			id = string(data)
		case revokedTime:
			at = v
		}
		return nil
	})
	if err == nil && (id == "" || len(id) > replicated.MaxID) {
		err = fmt.Errorf("%w: no id of a token", errBadBody)
	}
	return id, at, err
}

// eachField calls take with each field of a message: numbers as v, all else that
// is understood as data, which must not be kept. Others are passed over.
func eachField(b []byte, take func(n protowire.Number, v int64, data []byte) error) error {
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return fmt.Errorf("%w: %w", errBadBody, protowire.ParseError(size))
		}
		b = b[size:]
		var v uint64
		var data []byte
		switch kind {
		case protowire.VarintType:
			v, size = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			data, size = protowire.ConsumeBytes(b)
		default:
			size = protowire.ConsumeFieldValue(n, kind, b)
		}
		if size < 0 {
			return fmt.Errorf("%w: %w", errBadBody, protowire.ParseError(size))
		}
		b = b[size:]
		if kind == protowire.VarintType || kind == protowire.BytesType {
			if err := take(n, protowire.DecodeZigZag(v), data); err != nil {
				return err
			}
		}
	}
	return nil
}
