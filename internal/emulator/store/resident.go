package store

import (
	"sync/atomic"

	"go.etcd.io/bbolt"
)

// The data file is mapped, and each page of it that was looked at counts as
// memory of this process until the system takes it back, which it does only when
// it has to. With a million objects these are hundreds of MiB. So the store gives
// them back itself: they stay in the system's cache, and whoever looks at one
// again has it mapped again, at the price of a minor fault.
const (
	// residentBound is how many bytes of files the process may have mapped and
	// resident before the data file's are given back. The program itself has some
	// 8 MiB of them. A data file that is smaller is left alone.
	residentBound = 32 << 20
	// residentCheck is after how many looks at the data file this is checked. A
	// look touches a page or two, and the system maps the 64 KiB around each, so
	// the bound is exceeded by some 16 MiB at most.
	residentCheck = 128
)

// resident watches how much of the data file is resident.
type resident struct {
	gauge gauge
	looks atomic.Uint64
}

// look counts a look at the data file. During a transaction the mapping stays
// where it is: only the committer moves it, when no other transaction is open.
func (r *resident) look(tx *bbolt.Tx) {
	if r.looks.Add(1)%residentCheck != 0 || tx.Size() < residentBound || r.gauge.read() < residentBound {
		return
	}
	giveBack(tx.DB().Info().Data, uintptr(tx.Size()))
}
