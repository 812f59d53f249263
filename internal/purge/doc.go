// Package purge holds the purge engine: selectors, modes, marks and verdicts.
//
// There is no index from a key to its objects. Applying a purge writes one mark
// for each tag that it names, whatever the number of objects that carry the
// tag; a lookup compares the marks of an object's tags with the object's stamp,
// the position at which its fetch began.
//
// The package is pure: it takes values and the time, and gives decisions. It
// neither stores objects nor sends anything, and has no clock.
package purge
