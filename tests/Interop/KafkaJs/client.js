// A kafkajs client, one verb a run:
//   create ADDR TOPIC PARTITIONS      produce ADDR TOPIC COUNT (gzip)      group ADDR TOPIC GROUP COUNT
const { Kafka, CompressionTypes, logLevel } = require('kafkajs');

const [verb, address, topic, ...rest] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'interop-kafkajs', brokers: [address], logLevel: logLevel.ERROR });

async function create(partitions) {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: Number(partitions) }] });
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  console.log(`created ${topics[0].name} partitions ${topics[0].partitions.length}`);
  await admin.disconnect();
}

async function produce(count) {
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: Number(count) }, (_, i) => ({ key: `${i}`, value: `record ${i}`, headers: { n: `${i}` } }));
  const answers = await producer.send({ topic, acks: -1, compression: CompressionTypes.GZIP, messages });
  console.log(`acked ${count} errors ${answers.filter(a => a.errorCode !== 0).length}`);
  await producer.disconnect();
}

async function group(groupId, count) {
  const consumer = kafka.consumer({ groupId });
  const seen = new Set();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`only ${seen.size} of ${count}`)), 60000).unref();
    consumer.run({
      eachMessage: async ({ message }) => {
        if (message.headers.n.toString() !== message.key.toString()) reject(new Error('a header was lost'));
        seen.add(message.value.toString());
        if (seen.size === Number(count)) resolve();
      },
    });
  });
  await consumer.disconnect();
  console.log(`consumed ${seen.size}`);
}

({ create, produce, group })[verb](...rest).catch(error => { console.log('FAIL', error.message); process.exit(1); });
