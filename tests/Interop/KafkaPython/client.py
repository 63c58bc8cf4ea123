"""A kafka-python client, one verb a run; VERSION is "auto" or a broker version such as 0.9 (message format 0) or 0.10 (format 1):

  produce ADDR VERSION TOPIC CODEC COUNT     CODEC: none, gzip      group ADDR VERSION TOPIC GROUP COUNT
"""
import sys
from kafka import KafkaConsumer, KafkaProducer

verb, address, version, topic, *rest = sys.argv[1:]
options = {"bootstrap_servers": address, "api_version_auto_timeout_ms": 30000}  # 2 s as it comes: too short on a busy machine
if version != "auto":
    options["api_version"] = tuple(int(part) for part in version.split("."))
if verb == "produce":
    codec, count = rest[0], int(rest[1])
    producer = KafkaProducer(acks="all", compression_type=None if codec == "none" else codec, linger_ms=20, **options)
    sent = [producer.send(topic, key=b"k", value=b"record %d" % i) for i in range(count)]
    producer.flush()
    print("acked", len({one.get(30).offset for one in sent}))
    producer.close()
else:
    name, count = rest[0], int(rest[1])
    consumer = KafkaConsumer(topic, group_id=name, auto_offset_reset="earliest", consumer_timeout_ms=30000, **options)
    seen = []
    for record in consumer:
        seen.append(record.value.decode())
        if len(seen) == count:
            break
    consumer.close()
    print("consumed", len(seen), "distinct", len(set(seen)))
