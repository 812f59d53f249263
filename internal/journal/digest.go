package journal

import (
	"crypto/sha256"
	"encoding/binary"
)

// Buckets is into how many parts a vector is divided for comparison. With 64,
// the digests of all parts fit into one datagram, and two vectors that differ
// in a few rows exchange a sixty-fourth of all rows for each.
const Buckets = 64

// Digest is a short name for what is known: equal digests mean equal knowledge.
type Digest [16]byte

// Digests are a vector's digest as a whole and of each of its parts. Floors and
// times are not in them: nodes that know the same keep entries for different
// times.
type Digests struct {
	Whole Digest
	Parts [Buckets]Digest // the zero Digest: nothing in it
}

// BucketOf returns the part of a vector to which an incarnation belongs.
func BucketOf(inc Incarnation) int { return int(inc[0]) % Buckets }

// Digests computes the digests of a vector. Its cost is that of hashing 40
// bytes a row.
func (v Vector) Digests() Digests {
	var text [Buckets][]byte
	for _, inc := range v.Incarnations() {
		row := v[inc]
		if row.Top() == 0 {
			continue
		}
		b := text[BucketOf(inc)]
		b = append(b, inc[:]...)
		b = binary.AppendUvarint(b, row.Head)
		b = binary.AppendUvarint(b, uint64(len(row.Above)))
		for _, span := range row.Above {
			b = binary.AppendUvarint(b, span.First)
			b = binary.AppendUvarint(b, span.Last)
		}
		text[BucketOf(inc)] = b
	}
	var d Digests
	whole := make([]byte, 0, Buckets*len(Digest{}))
	for i, b := range text {
		if len(b) > 0 {
			sum := sha256.Sum256(b)
			copy(d.Parts[i][:], sum[:])
		}
		whole = append(whole, d.Parts[i][:]...)
	}
	sum := sha256.Sum256(whole)
	copy(d.Whole[:], sum[:])
	return d
}

// BucketSet is a set of parts, one bit for each.
type BucketSet uint64

// Differ returns the parts in which two vectors differ.
func (d *Digests) Differ(o *Digests) BucketSet {
	var set BucketSet
	for i := range d.Parts {
		if d.Parts[i] != o.Parts[i] {
			set |= 1 << i
		}
	}
	return set
}

// Has tells whether an incarnation's part is in the set.
func (s BucketSet) Has(inc Incarnation) bool { return s&(1<<BucketOf(inc)) != 0 }

// In returns the rows of some parts.
func (v Vector) In(set BucketSet) Vector {
	part := Vector{}
	for inc, row := range v {
		if set.Has(inc) {
			part[inc] = row
		}
	}
	return part
}
