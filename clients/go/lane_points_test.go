package contextd

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	pb "github.com/contextd/contextd/clients/go/contextdpb"
)

// fakePoints answers work on points: the first two calls wait until they are let through.
type fakePoints struct {
	pb.UnimplementedRecoveryServer
	gate    chan struct{}
	mu      sync.Mutex
	batches []*pb.BatchRecoveryPointsRequest
	alone   []string // The ids of points that were asked for alone.
}

func (f *fakePoints) GetRecoveryPoint(
	_ context.Context, request *pb.GetRecoveryPointRequest,
) (*pb.GetRecoveryPointResponse, error) {
	<-f.gate
	f.mu.Lock()
	defer f.mu.Unlock()
	f.alone = append(f.alone, request.RecoveryPointId)
	point := &pb.RecoveryPoint{Id: request.RecoveryPointId}
	return &pb.GetRecoveryPointResponse{RecoveryPoint: point}, nil
}

func (f *fakePoints) CreateRecoveryPoint(
	_ context.Context, request *pb.CreateRecoveryPointRequest,
) (*pb.CreateRecoveryPointResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.alone = append(f.alone, request.RecoveryPointId)
	point := &pb.RecoveryPoint{Id: request.RecoveryPointId}
	return &pb.CreateRecoveryPointResponse{RecoveryPoint: point}, nil
}

// BatchRecoveryPoints has no room for the points of gets and creates whose id is "long".
func (f *fakePoints) BatchRecoveryPoints(
	_ context.Context, request *pb.BatchRecoveryPointsRequest,
) (*pb.BatchRecoveryPointsResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batches = append(f.batches, request)
	response := &pb.BatchRecoveryPointsResponse{}
	for _, operation := range request.Operations {
		result := &pb.BatchRecoveryPointsResponse_Result{}
		switch kind := operation.Kind.(type) {
		case *pb.BatchRecoveryPointsRequest_Operation_Get:
			result.Outcome = &pb.BatchRecoveryPointsResponse_Result_Failure{Failure: &pb.Failure{
				Code: int32(codes.ResourceExhausted), Reason: "RESPONSE_TOO_LARGE",
			}}
		case *pb.BatchRecoveryPointsRequest_Operation_Create:
			created := &pb.CreateRecoveryPointResponse{}
			if id := kind.Create.RecoveryPointId; id != "long" {
				created.RecoveryPoint = &pb.RecoveryPoint{Id: id}
			}
			result.Outcome = &pb.BatchRecoveryPointsResponse_Result_Create{Create: created}
		case *pb.BatchRecoveryPointsRequest_Operation_Update:
			updated := &pb.UpdateRecoveryPointResponse{RecoveryPoint: &pb.RecoveryPoint{
				Id: kind.Update.RecoveryPointId,
			}}
			result.Outcome = &pb.BatchRecoveryPointsResponse_Result_Update{Update: updated}
		case *pb.BatchRecoveryPointsRequest_Operation_Delete:
			result.Outcome = &pb.BatchRecoveryPointsResponse_Result_Failure{Failure: &pb.Failure{
				Code: int32(codes.NotFound), Reason: "RECOVERY_POINT_NOT_FOUND",
			}}
		}
		response.Results = append(response.Results, result)
	}
	return response, nil
}

// pointsTogether does work on points that goes out together.
func pointsTogether(t *testing.T, fake *fakePoints, work ...func(of *Context) error) {
	t.Helper()
	fake.gate = make(chan struct{})
	client := serveAll(t, func(server *grpc.Server) { pb.RegisterRecoveryServer(server, fake) })
	var group sync.WaitGroup
	begin := func(id string, do func(of *Context) error) {
		before := client.points.load()
		group.Add(1)
		go func() {
			defer group.Done()
			if err := do(client.Context(id)); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}()
		for client.points.load() == before {
			pause()
		}
	}
	for _, id := range []string{"first", "second"} {
		begin(id, func(of *Context) error {
			_, err := of.Point(context.Background(), "held", PointView{})
			return err
		})
	}
	for _, do := range work {
		begin("together", do)
	}
	close(fake.gate)
	group.Wait()
	if len(fake.batches) != 1 || len(fake.batches[0].Operations) != len(work) {
		t.Errorf("the batches are %v", fake.batches)
	}
}

func TestWorkOnPointsGoesTogether(t *testing.T) {
	ctx := context.Background()
	pointsTogether(t, &fakePoints{},
		func(of *Context) error {
			created, err := of.Checkpoint(ctx, NewPoint{ID: "made"})
			if created.Point.ID != "made" {
				t.Errorf("it made %+v", created)
			}
			return err
		},
		func(of *Context) error {
			changed, err := of.UpdatePoint(ctx, "changed", PointChange{})
			if changed.ID != "changed" {
				t.Errorf("it changed %+v", changed)
			}
			return err
		},
		func(of *Context) error {
			if err := of.DeletePoint(ctx, "gone"); !errors.Is(err, ErrRecoveryPointNotFound) {
				t.Errorf("the delete answers %v", err)
			}
			return nil
		})
}

func TestWhatAnAnswerHadNoRoomForIsAskedAlone(t *testing.T) {
	ctx := context.Background()
	fake := &fakePoints{}
	pointsTogether(t, fake,
		func(of *Context) error {
			point, err := of.Point(ctx, "large", PointView{Entries: true})
			if point.ID != "large" {
				t.Errorf("it is %+v", point)
			}
			return err
		},
		func(of *Context) error {
			created, err := of.Checkpoint(ctx, NewPoint{ID: "long"})
			if created.Point.ID != "long" {
				t.Errorf("it made %+v", created)
			}
			return err
		})
	asked := slices.DeleteFunc(fake.alone, func(id string) bool { return id == "held" })
	if !slices.Equal(asked, []string{"large", "long"}) {
		t.Errorf("asked alone were %v", asked)
	}
}
