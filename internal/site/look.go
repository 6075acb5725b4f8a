package site

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/qiniu/terraform-provider-kodo/internal/kodo"
)

// Look finds what is under the keys of new files already: how many have the content that is to be stored there, and the
// objects with other content, in the order of their keys. The latter will be refused.
func (p *Plan) Look(ctx context.Context, c *kodo.Client, bucket string) (same int, conflicts []kodo.Object, err error) {
	etags := p.newKeys()
	if len(etags) == 0 {
		return 0, nil, nil
	}
	found, err := c.StatAll(ctx, bucket, sortedKeys(etags))
	if err != nil {
		return 0, nil, err
	}
	for key, object := range found {
		if object.ETag == etags[key] {
			same++
		} else {
			conflicts = append(conflicts, object)
		}
	}
	slices.SortFunc(conflicts, func(a, b kodo.Object) int { return cmp.Compare(a.Key, b.Key) })
	return same, conflicts, nil
}

// SameContent finds the objects whose hash depends on how they were uploaded, and that hold the content of the file of
// their key all the same. It returns their hashes with those of the files, for Compare.
func SameContent(ctx context.Context, c *kodo.Client, bucket string, r *Record, files []File) (map[string]string, error) {
	same := map[string]string{}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2) // each reads its file on all cores
	for key, file := range partHashes(r, files) {
		g.Go(func() (err error) {
			local, err := kodo.OpenFile(file.Path)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, local.Close()) }()
			have := r.Have[key]
			equal, err := c.Same(ctx, bucket, kodo.Object{Key: key, ETag: have.ETag, Size: have.Size}, local)
			if equal {
				mu.Lock()
				defer mu.Unlock()
				same[have.ETag] = file.ETag
			}
			return err
		})
	}
	return same, g.Wait()
}
