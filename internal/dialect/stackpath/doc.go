// Package stackpath speaks StackPath's API as far as purge scripts use it: an
// access token for a client's secret, purges of a stack, how far one has come,
// and the stack itself. A stack is a service, and has its id; a client's id is
// the name of a token and its secret the token.
//
// Where an item says less than this cache needs to know, it takes more: a purge
// below a path takes both schemes, and one of a URL all its variants, whatever
// purgeAllDynamic and headers say.
package stackpath
