package server

import (
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/http1"
)

// reasons are what a client is refused for, by what is wrong with its message;
// "" for NoFault.
var reasons = [...]event.RefusedReason{
	http1.BareLF:            event.RefusedBareLF,
	http1.BareCR:            event.RefusedBareCR,
	http1.Folding:           event.RefusedFolding,
	http1.SpaceBeforeColon:  event.RefusedSpaceBeforeColon,
	http1.FieldName:         event.RefusedInvalidFieldName,
	http1.FieldValue:        event.RefusedInvalidFieldValue,
	http1.InvalidCoding:     event.RefusedInvalidCoding,
	http1.UnknownCoding:     event.RefusedUnknownCoding,
	http1.ChunkSize:         event.RefusedChunkSize,
	http1.ChunkExtension:    event.RefusedChunkExtension,
	http1.ExtensionTooLarge: event.RefusedExtensionsSize,
	http1.Overhead:          event.RefusedExtensionsSize, // which is all that it can be
	http1.ChunkEnd:          event.RefusedChunkEnd,
	http1.TrailerField:      event.RefusedTrailer,
	http1.TrailerTooLarge:   event.RefusedTrailerTooLarge,
}
