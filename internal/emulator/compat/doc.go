// Package compat has no code of its own: its tests drive the emulator with the
// official Go SDK, unmodified. What the SDK cannot do against the emulator it
// must not be able to do against Kodo either.
package compat
