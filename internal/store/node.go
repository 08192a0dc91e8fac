package store

import "time"

// Node is one weir that works.
type Node struct {
	ID        string
	StartedAt time.Time
	BeatAt    time.Time // when it last said that it is alive
}

// Beat says that the node is alive now.
func (t *Tx) Beat(node string, startedAt time.Time) error {
	return t.put("beat of node "+node, `
		INSERT INTO node (id, started_at, beat_at) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, beat_at = excluded.beat_at`,
		node, startedAt, t.now)
}

// Leave forgets a node that has stopped and executes nothing.
func (t *Tx) Leave(node string) error {
	return t.put("leave of node "+node, `
		DELETE FROM node WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM step WHERE state = 'EXECUTING' AND node = $1)`, node)
}

// Nodes lists the nodes that run, and those that ended without a word.
func (t *Tx) Nodes() ([]Node, error) {
	return list(t, "list nodes", func(r row) (n Node, err error) {
		err = r.Scan(&n.ID, instant{&n.StartedAt}, instant{&n.BeatAt})
		return n, err
	}, `SELECT id, started_at, beat_at FROM node ORDER BY id`)
}

// SetSetting keeps a small fact about the store itself.
func (t *Tx) SetSetting(key, value string) error {
	return t.put("set "+key, `
		INSERT INTO setting (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, key, value)
}

// Setting reads a fact about the store; ErrNotFound when it was never set.
func (t *Tx) Setting(key string) (string, error) {
	return one(t, "read setting "+key, scanValue[string], `SELECT value FROM setting WHERE name = $1`, key)
}
