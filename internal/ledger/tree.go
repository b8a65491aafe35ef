package ledger

import (
	"context"
	"database/sql"
	"errors"

	"github.com/emmansun/gmsm/sm3"
	"github.com/transparency-dev/merkle"
	"github.com/transparency-dev/merkle/compact"

	"yinxin/internal/store"
)

// Hasher is the tree hashing of RFC 6962 section 2.1 with SM3, for github.com/transparency-dev/merkle.
type Hasher struct{}

var _ merkle.LogHasher = Hasher{}

// EmptyRoot is the root of a tree without leaves.
func (Hasher) EmptyRoot() []byte {
	sum := sm3.Sum(nil)
	return sum[:]
}

// HashLeaf is SM3(0x00 ‖ leaf): the prefix keeps a leaf from being passed off as a node.
func (Hasher) HashLeaf(leaf []byte) []byte {
	sum := sm3.Sum(append([]byte{0}, leaf...))
	return sum[:]
}

// HashChildren is SM3(0x01 ‖ left ‖ right).
func (Hasher) HashChildren(left, right []byte) []byte {
	buffer := append(make([]byte, 0, 1+2*sm3.Size), 1)
	sum := sm3.Sum(append(append(buffer, left...), right...))
	return sum[:]
}

// Size is the length of a hash in bytes.
func (Hasher) Size() int { return sm3.Size }

// node is a perfect subtree.
type node struct {
	id   compact.NodeID
	hash []byte
}

// tree is the right border of the whole tree: all that is needed to make it grow.
type tree struct {
	border *compact.Range
}

func newTree(size int64, border [][]byte) (tree, error) {
	factory := &compact.RangeFactory{Hash: Hasher{}.HashChildren}
	r, err := factory.NewRange(0, uint64(size), border)
	return tree{r}, err
}

// clone is a tree that grows on its own.
func (t tree) clone() (tree, error) {
	return newTree(t.size(), append([][]byte(nil), t.border.Hashes()...))
}

func (t tree) size() int64 { return int64(t.border.End()) }

// add appends a leaf and tells which nodes became complete by it, the leaf itself first.
func (t tree) add(leaf []byte) (nodes []node, err error) {
	err = t.border.Append(leaf, func(id compact.NodeID, hash []byte) { nodes = append(nodes, node{id, hash}) })
	return nodes, err
}

func (t tree) root() ([]byte, error) {
	if t.size() == 0 {
		return Hasher{}.EmptyRoot(), nil
	}
	return t.border.GetRootHash(nil)
}

// loadTree reads the border of the first size entries.
func loadTree(ctx context.Context, q store.Querier, size int64) (tree, error) {
	hashes, err := loadNodes(ctx, q, compact.RangeNodes(0, uint64(size), nil))
	if err != nil {
		return tree{}, err
	}
	return newTree(size, hashes)
}

// loadNodes reads nodes, of which a border or a proof has one for each level or two. A missing one is ledger.damaged.
func loadNodes(ctx context.Context, q store.Querier, ids []compact.NodeID) ([][]byte, error) {
	hashes := make([][]byte, len(ids))
	for i, id := range ids {
		err := q.QueryRowContext(ctx, `SELECT hash FROM ledger_node WHERE level = $1 AND position = $2`,
			int64(id.Level), int64(id.Index)).Scan(&hashes[i])
		if errors.Is(err, sql.ErrNoRows) {
			return nil, errDamaged.Sayingf("缺少节点 %d/%d", "node %d/%d is missing", id.Level, id.Index)
		}
		if err != nil {
			return nil, err
		}
	}
	return hashes, nil
}
