// A sarama client, one verb a run:
//
//	create ADDR TOPIC PARTITIONS      produce ADDR TOPIC COUNT      group ADDR TOPIC GROUP COUNT      read ADDR TOPIC COUNT
//
// produce sends keyed records asynchronously with acks=all; group reads as a member until COUNT records came and commits; read reads
// partition 0 from the oldest record on. SARAMA_VERSION is the protocol version: V2_0_0_0 when unset, "default" for sarama's own; SARAMA_CODEC
// how produce compresses.
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
	switch version := os.Getenv("SARAMA_VERSION"); version {
	case "":
		c.Version = sarama.V2_0_0_0
	case "default":
	default:
		v, err := sarama.ParseKafkaVersion(version)
		check(err)
		c.Version = v
	}
	codecs := map[string]sarama.CompressionCodec{
		"": sarama.CompressionNone, "none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4}
	c.Producer.Compression = codecs[os.Getenv("SARAMA_CODEC")]
	c.ClientID = "interop-sarama"
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Return.Successes = true
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	return c
}

func create(addr []string, topic string, partitions int) {
	admin, err := sarama.NewClusterAdmin(addr, config())
	check(err)
	check(admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: int32(partitions), ReplicationFactor: 1}, false))
	check(admin.Close())
	fmt.Println("created", topic)
}

func produce(addr []string, topic string, count int) {
	producer, err := sarama.NewAsyncProducer(addr, config())
	check(err)
	go func() {
		for i := 0; i < count; i++ {
			producer.Input() <- &sarama.ProducerMessage{
				Topic: topic,
				Key:   sarama.StringEncoder(strconv.Itoa(i)),
				Value: sarama.StringEncoder(fmt.Sprintf("record %d", i)),
			}
		}
	}()
	partitions := map[int32]bool{}
	for acked := 0; acked < count; acked++ {
		select {
		case m := <-producer.Successes():
			partitions[m.Partition] = true
		case err := <-producer.Errors():
			check(err)
		}
	}
	check(producer.Close())
	fmt.Println("acked", count, "partitions", len(partitions))
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

func read(addr []string, topic string, count int) {
	consumer, err := sarama.NewConsumer(addr, config())
	check(err)
	partition, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	check(err)
	for i := 0; i < count; i++ {
		select {
		case m := <-partition.Messages():
			if m.Offset != int64(i) || string(m.Value) != fmt.Sprintf("record %d", i) || string(m.Key) != strconv.Itoa(i) {
				fmt.Println("FAIL at", i, "offset", m.Offset, string(m.Key), string(m.Value))
				os.Exit(1)
			}
		case <-time.After(60 * time.Second):
			fmt.Println("FAIL only", i, "of", count)
			os.Exit(1)
		}
	}
	check(partition.Close())
	check(consumer.Close())
	fmt.Println("read", count)
}

func main() {
	addr := []string{os.Args[2]}
	switch os.Args[1] {
	case "create":
		create(addr, os.Args[3], number(4))
	case "produce":
		produce(addr, os.Args[3], number(4))
	case "group":
		group(addr, os.Args[3], os.Args[4], number(5))
	case "read":
		read(addr, os.Args[3], number(4))
	}
}
