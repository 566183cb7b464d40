package contextd

// readyQueues are the queues that may go out. A call is of one namespace: the namespaces take
// turns. The zero value is empty.
type readyQueues struct {
	turns       []*readyNamespace
	byNamespace map[string]*readyNamespace
}

// readyNamespace is the queues of a namespace, in order.
type readyNamespace struct {
	name   string
	queues []*laneQueue
}

func (r *readyQueues) empty() bool { return len(r.turns) == 0 }

// add puts a queue behind those of its namespace.
func (r *readyQueues) add(queue *laneQueue) {
	namespace := r.byNamespace[queue.key.namespace]
	if namespace == nil {
		if r.byNamespace == nil {
			r.byNamespace = make(map[string]*readyNamespace)
		}
		namespace = &readyNamespace{name: queue.key.namespace}
		r.byNamespace[namespace.name] = namespace
		r.turns = append(r.turns, namespace)
	}
	namespace.queues = append(namespace.queues, queue)
}

// turn gives the namespace whose turn it is, which must come back by again. nil: there is none.
func (r *readyQueues) turn() *readyNamespace {
	if len(r.turns) == 0 {
		return nil
	}
	namespace := r.turns[0]
	r.turns[0] = nil
	r.turns = r.turns[1:]
	return namespace
}

// again puts a namespace behind the others, where it has queues left.
func (r *readyQueues) again(namespace *readyNamespace) {
	if len(namespace.queues) > 0 {
		r.turns = append(r.turns, namespace)
	} else {
		delete(r.byNamespace, namespace.name)
	}
}
