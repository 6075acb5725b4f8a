package engine

import (
	"math"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// Quota is how much a bucket may hold, Unlimited where there is no limit.
type Quota struct {
	Bytes int64 // the sum of the objects' sizes
	Files int64
}

// Unlimited is the Quota that Kodo names for none, and that takes one away.
const Unlimited = -1

// quotaRecord is what the store keeps of a bucket that has a quota, and only of
// such a bucket: what it holds is counted when it gets its quota, and kept up to
// date from then on. Uploads to other buckets pay for one look at a missing key.
type quotaRecord struct {
	Quota Quota
	Usage Usage
}

// Quota returns the quota of one of the owner's buckets.
func (e *Engine) Quota(owner, name string) (Quota, error) {
	quota := Quota{Bytes: Unlimited, Files: Unlimited}
	err := e.view(func(tx *store.Tx) error {
		if err := checkOwner(tx, owner, name); err != nil {
			return err
		}
		record, found, err := quotaOf(tx, name)
		if found {
			quota = record.Quota
		}
		return err
	})
	return quota, err
}

// SetQuota changes the quota of a bucket: of either number 0 leaves it as it is
// and Unlimited takes it away (documented); below that it is refused
// (fact:bucket-quota-below-minus-one). What the bucket holds already stays, however
// much it is. Nothing is written to any bucket while the objects of a large one are
// counted.
func (e *Engine) SetQuota(owner, name string, change Quota) error {
	if change.Bytes < Unlimited || change.Files < Unlimited {
		return errorf(400, "invalid arguments")
	}
	return e.update(func(tx *store.Tx) error {
		if err := checkOwner(tx, owner, name); err != nil {
			return err
		}
		record, found, err := quotaOf(tx, name)
		if err != nil {
			return err
		}
		if !found {
			record.Quota = Quota{Bytes: Unlimited, Files: Unlimited}
		}
		if change.Bytes != 0 {
			record.Quota.Bytes = change.Bytes
		}
		if change.Files != 0 {
			record.Quota.Files = change.Files
		}
		if record.Quota.Bytes == Unlimited && record.Quota.Files == Unlimited {
			return tx.Delete(quotaKey(name))
		}
		if !found {
			if _, err := record.Usage.add(tx, name, "", math.MaxInt); err != nil {
				return err
			}
		}
		return write(tx, quotaKey(name), record, nil)
	})
}

func quotaOf(tx *store.Tx, bucket string) (record quotaRecord, found bool, err error) {
	_, found, err = read(tx, quotaKey(bucket), &record)
	return record, found, err
}

// recount brings the usage of a bucket with a quota up to date, before keys come to
// name what counts as next, all of them together.
func recount(tx *store.Tx, bucket string, next Usage, keys ...string) error {
	record, found, err := quotaOf(tx, bucket)
	if err != nil || !found {
		return err
	}
	for _, key := range keys {
		entry, ok := tx.Get(objectKey(bucket, key))
		if !ok {
			continue
		}
		former, _, err := decodeObject(bucket, key, entry, false)
		if err != nil {
			return err
		}
		next.Files--
		next.Bytes -= former.Size
	}
	record.Usage.Files += next.Files
	record.Usage.Bytes += next.Bytes
	quota := record.Quota
	if next.Files > 0 && quota.Files != Unlimited && record.Usage.Files > quota.Files ||
		next.Bytes > 0 && quota.Bytes != Unlimited && record.Usage.Bytes > quota.Bytes {
		return errorf(403, "the quota of the bucket is exceeded")
	}
	return write(tx, quotaKey(bucket), record, nil)
}
