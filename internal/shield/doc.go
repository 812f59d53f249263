// Package shield has the words in which an edge and a shield speak of one request,
// beside HTTP itself: Ask, a field of the edge's request, says which purges the
// answer must not be older than; Word, a field of the shield's response, says how
// it came about, how long it may be used, and what the edge need not say again.
//
// A shield is a node of the POP through which the other nodes of a cluster reach a
// service's origins. The packages below do the work: edge asks, catch brings a
// shield up to what an edge knows, link is the connection between them. Nothing
// here proves who speaks: link does, before any of it is read.
package shield
