// Package storetest is the one suite that every store.Store must pass, whatever
// it keeps its objects in. It holds a store to its contract and to nothing else:
// which of several live objects leaves for another is the store's own choice,
// and tested beside it.
package storetest
