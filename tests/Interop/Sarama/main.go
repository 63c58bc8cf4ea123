// A sarama client, one verb a run; VERSION is a protocol version of sarama ("0.8.2.0" is its default: message format 0):
//
//	create ADDR TOPIC PARTITIONS                        a topic
//	produce ADDR TOPIC COUNT                            keyed records, asynchronous, acks=all; says how many partitions got some
//	group ADDR TOPIC GROUP COUNT                        a member reads until COUNT records came, and commits
//	sync ADDR VERSION TOPIC CODEC VALUE...              one message a call, acks=all
//	batch ADDR VERSION TOPIC CODEC COUNT                messages "record 0" ... in few requests, acks=all
//	read ADDR VERSION TOPIC oldest|newest COUNT         partition 0 without a group; says "ready" once it waits
//	place ADDR TOPIC manual|hash|random|time COUNT      says "key partition" for each record; time: slices of a second
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/Shopify/sarama"
)

func check(err error) {
	if err != nil {
		fmt.Println("FAIL", err)
		os.Exit(1)
	}
}

func number(arg int) int {
	n, err := strconv.Atoi(os.Args[arg])
	check(err)
	return n
}

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.V2_0_0_0
	c.ClientID = "interop-sarama"
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Return.Successes = true
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	return c
}

func configOf(version string) *sarama.Config {
	c := config()
	v, err := sarama.ParseKafkaVersion(version)
	check(err)
	c.Version = v
	return c
}

func codec(name string) sarama.CompressionCodec {
	return map[string]sarama.CompressionCodec{"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP,
		"snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4}[name]
}

func create(addr []string, topic string, partitions int) {
	admin, err := sarama.NewClusterAdmin(addr, config())
	check(err)
	check(admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: int32(partitions), ReplicationFactor: 1}, false))
	check(admin.Close())
	fmt.Println("created", topic)
}

// Sends records and waits for all; the messages come back in the order of their acknowledgements.
func send(addr []string, c *sarama.Config, count int, record func(i int) *sarama.ProducerMessage) []*sarama.ProducerMessage {
	producer, err := sarama.NewAsyncProducer(addr, c)
	check(err)
	go func() {
		for i := 0; i < count; i++ {
			producer.Input() <- record(i)
		}
	}()
	acked := []*sarama.ProducerMessage{}
	for len(acked) < count {
		select {
		case m := <-producer.Successes():
			acked = append(acked, m)
		case err := <-producer.Errors():
			check(err)
		}
	}
	check(producer.Close())
	return acked
}

func produce(addr []string, topic string, count int) {
	partitions := map[int32]bool{}
	for _, m := range send(addr, config(), count, func(i int) *sarama.ProducerMessage {
		return &sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder(strconv.Itoa(i)), Value: sarama.StringEncoder(fmt.Sprintf("record %d", i))}
	}) {
		partitions[m.Partition] = true
	}
	fmt.Println("acked", count, "partitions", len(partitions))
}

func sync(addr []string, version, topic, codecName string, values []string) {
	c := configOf(version)
	c.Producer.Compression = codec(codecName)
	producer, err := sarama.NewSyncProducer(addr, c)
	check(err)
	for _, v := range values {
		partition, offset, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(v)})
		check(err)
		fmt.Println("partition", partition, "offset", offset)
	}
	check(producer.Close())
}

func batch(addr []string, version, topic, codecName string, count int) {
	c := configOf(version)
	c.Producer.Compression = codec(codecName)
	c.Producer.Flush.Messages = 100
	c.Producer.Flush.Frequency = 50 * time.Millisecond // fewer than 100 that are left would wait for ever
	send(addr, c, count, func(i int) *sarama.ProducerMessage {
		return &sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder("k"), Value: sarama.StringEncoder(fmt.Sprintf("record %d", i))}
	})
	fmt.Println("acked", count)
}

func read(addr []string, version, topic, from string, count int) {
	consumer, err := sarama.NewConsumer(addr, configOf(version))
	check(err)
	offset := sarama.OffsetOldest
	if from == "newest" {
		offset = sarama.OffsetNewest
	}
	partition, err := consumer.ConsumePartition(topic, 0, offset)
	check(err)
	fmt.Println("ready")
	for i := 0; i < count; i++ {
		select {
		case m := <-partition.Messages():
			fmt.Println(m.Offset, string(m.Key), string(m.Value))
		case <-time.After(30 * time.Second):
			fmt.Println("FAIL only", i, "of", count)
			os.Exit(1)
		}
	}
}

type slices struct{}

func (slices) RequiresConsistency() bool { return true }
func (slices) Partition(m *sarama.ProducerMessage, partitions int32) (int32, error) {
	return int32(m.Timestamp.Unix() % int64(partitions)), nil
}

func place(addr []string, topic, how string, count int) {
	c := config()
	switch how {
	case "manual":
		c.Producer.Partitioner = sarama.NewManualPartitioner
	case "random":
		c.Producer.Partitioner = sarama.NewRandomPartitioner
	case "time":
		c.Producer.Partitioner = func(string) sarama.Partitioner { return slices{} }
	}
	for _, m := range send(addr, c, count, func(i int) *sarama.ProducerMessage {
		key := strconv.Itoa(i % 10)
		return &sarama.ProducerMessage{Topic: topic, Partition: 2, Key: sarama.StringEncoder(key), Timestamp: time.Unix(1700000000+int64(i%10), 0)}
	}) {
		key, _ := m.Key.Encode()
		fmt.Println(string(key), m.Partition)
	}
}

type member struct {
	seen chan string
}

func (member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (member) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (m member) ConsumeClaim(s sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) error {
	for r := range c.Messages() {
		s.MarkMessage(r, "")
		m.seen <- string(r.Value)
	}
	return nil
}

func group(addr []string, topic, name string, count int) {
	g, err := sarama.NewConsumerGroup(addr, name, config())
	check(err)
	ctx, cancel := context.WithCancel(context.Background())
	m := member{make(chan string, 1000)}
	done := make(chan bool)
	go func() {
		for ctx.Err() == nil {
			check(g.Consume(ctx, []string{topic}, m))
		}
		done <- true
	}()
	values := map[string]bool{}
	for len(values) < count {
		select {
		case v := <-m.seen:
			values[v] = true
		case <-time.After(60 * time.Second):
			fmt.Println("FAIL only", len(values), "of", count)
			os.Exit(1)
		}
	}
	cancel()
	<-done
	check(g.Close())
	fmt.Println("consumed", len(values))
}

func main() {
	a := os.Args
	addr := []string{a[2]}
	switch a[1] {
	case "create":
		create(addr, a[3], number(4))
	case "produce":
		produce(addr, a[3], number(4))
	case "group":
		group(addr, a[3], a[4], number(5))
	case "sync":
		sync(addr, a[3], a[4], a[5], a[6:])
	case "batch":
		batch(addr, a[3], a[4], a[5], number(6))
	case "read":
		read(addr, a[3], a[4], a[5], number(6))
	case "place":
		place(addr, a[3], a[4], number(5))
	default:
		fmt.Println("FAIL no verb", a[1])
		os.Exit(2)
	}
}
