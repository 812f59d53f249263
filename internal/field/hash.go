package field

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/dchest/siphash"
)

// MaxDepth is the number of path segments that tags reach down to. A purge of
// a longer path acts at this depth, so it takes more than was asked; objects
// keep a bounded number of tags however long a client makes a URL.
const MaxDepth = 32

// Hasher derives cache keys and tags under a random key, so that nobody who
// does not hold it can construct collisions. Hashes made by different Hashers
// do not compare, and none leaves its node. The zero Hasher must not be used.
type Hasher struct {
	k0, k1 uint64
}

// NewHasher returns a Hasher under the given 16-byte secret.
func NewHasher(secret [16]byte) *Hasher {
	return &Hasher{
		k0: binary.LittleEndian.Uint64(secret[:8]),
		k1: binary.LittleEndian.Uint64(secret[8:]),
	}
}

// RandomHasher returns a Hasher under a fresh secret.
func RandomHasher() *Hasher {
	var secret [16]byte
	rand.Read(secret[:])
	return NewHasher(secret)
}

// What a hash is of stands first in its input, so that a surrogate key can
// never equal a host.
const (
	ofKey byte = iota + 1
	ofAll
	ofHost
	ofURL
	ofPath
	ofSurrogate
)

// start begins an input: its kind and the service, with a length so that no
// two inputs run together.
func start(b []byte, kind byte, service string) []byte {
	b = append(b, kind)
	b = binary.AppendUvarint(b, uint64(len(service)))
	return append(b, service...)
}

// Key returns the cache key of a target, to which the service's QueryRule has
// been applied.
func (h *Hasher) Key(service string, t Target) Key {
	var room [512]byte
	b := start(room[:0], ofKey, service)
	b = append(b, t.Scheme...)
	b = append(b, 0)
	b = append(b, t.Host...)
	b = append(b, 0)
	b = append(b, t.Path...)
	if t.HasQuery {
		b = append(b, '?')
		b = append(b, t.Query...)
	}
	lo, hi := siphash.Hash128(h.k0, h.k1, b)
	var k Key
	binary.LittleEndian.PutUint64(k[:8], lo)
	binary.LittleEndian.PutUint64(k[8:], hi)
	return k
}

// All returns the tag of everything of a service.
func (h *Hasher) All(service string) Tag {
	return h.tag(ofAll, service, "")
}

// Host returns the tag of a host, in the form of Target.Hostname.
func (h *Hasher) Host(service, hostname string) Tag {
	return h.tag(ofHost, service, hostname)
}

// Surrogate returns the tag of a surrogate key.
func (h *Hasher) Surrogate(service, key string) Tag {
	return h.tag(ofSurrogate, service, key)
}

func (h *Hasher) tag(kind byte, service, name string) Tag {
	var room [256]byte
	b := start(room[:0], kind, service)
	return Tag(siphash.Hash(h.k0, h.k1, append(b, name...)))
}

// URL returns the tag of a URL in any spelling: with its scheme, or without
// where the scheme is empty. The port of the host is no part of it.
func (h *Hasher) URL(service string, t Target) Tag {
	first, _ := normalQueries(t.Query)
	return h.url(service, t.Scheme, t.Hostname(), normalPath(t.Path), first)
}

func (h *Hasher) url(service, scheme, hostname, path, query string) Tag {
	var room [512]byte
	b := start(room[:0], ofURL, service)
	b = append(b, scheme...)
	b = append(b, 0)
	b = append(b, hostname...)
	b = append(b, 0)
	b = append(b, path...)
	b = append(b, 0)
	b = append(b, query...)
	return Tag(siphash.Hash(h.k0, h.k1, b))
}

// Path returns the tag of a path and all below it, on one host or, with an
// empty hostname, on every host of the service. depth is the number of its
// segments; at depth 0 the path is the whole host.
func (h *Hasher) Path(service, hostname, path string) (tag Tag, depth int) {
	var room [512]byte
	b := startPath(room[:0], service, hostname)
	for segment := range segments(normalPath(path)) {
		if depth == MaxDepth {
			break
		}
		b = append(b, '/')
		b = append(b, segment...)
		depth++
	}
	return Tag(siphash.Hash(h.k0, h.k1, b)), depth
}

func startPath(b []byte, service, hostname string) []byte {
	b = start(b, ofPath, service)
	b = append(b, hostname...)
	return append(b, 0)
}

// segments yields the non-empty segments of a normal path.
func segments(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := 1; i < len(path); {
			j := i
			for j < len(path) && path[j] != '/' {
				j++
			}
			if j > i && !yield(path[i:j]) {
				return
			}
			i = j + 1
		}
	}
}

// AppendTags appends every tag that a target gives its objects, apart from
// their surrogate keys: all, host, URL with and without scheme, and each path
// prefix on its host and on any host. The first is that of the URL without its scheme.
func (h *Hasher) AppendTags(dst []Tag, service string, t Target) []Tag {
	hostname, path := t.Hostname(), normalPath(t.Path)
	first, last := normalQueries(t.Query)
	dst = append(dst,
		h.url(service, "", hostname, path, first),
		h.url(service, t.Scheme, hostname, path, first),
		h.All(service),
		h.Host(service, hostname),
	)
	if last != first {
		dst = append(dst,
			h.url(service, "", hostname, path, last),
			h.url(service, t.Scheme, hostname, path, last))
	}
	var room1, room2 [512]byte
	here, anywhere := startPath(room1[:0], service, hostname), startPath(room2[:0], service, "")
	depth := 0
	for segment := range segments(path) {
		if depth == MaxDepth {
			break
		}
		here = append(append(here, '/'), segment...)
		anywhere = append(append(anywhere, '/'), segment...)
		dst = append(dst,
			Tag(siphash.Hash(h.k0, h.k1, here)),
			Tag(siphash.Hash(h.k0, h.k1, anywhere)))
		depth++
	}
	return dst
}
