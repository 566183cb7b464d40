// Package contextd is the client of contextd, the server that keeps the working context of agents: an
// ordered map of entries with versions that survives the program. When a write returns, it is on
// stable storage.
//
//	client, err := contextd.New("127.0.0.1:7420")
//	chat, err := client.Create(ctx, "chat-1", contextd.NewContext{}, nil)
//	_, err = chat.PutText(ctx, "system", "You are helpful.")
//	text, err := chat.GetText(ctx, "system")
//
// A [Client] is one connection, for any number of goroutines. [Client.Context] names a [Context]
// without a call. Calls take a [context.Context], whose deadline counts where it is sooner than the
// client's timeout, and are repeated where that helps: every write carries a request id, so that it
// is made once. Concurrent writes go out together (see [WithCoalescing]).
//
// Failures are told by errors.Is with the sentinels, such as [ErrVersionConflict], and by errors.As
// with the types that have the details, such as [*VersionConflictError]. Each of them holds a
// [*Failure].
//
// The generated messages and stubs are in the package contextdpb; [Client.Channel] is for those who
// use them.
package contextd
