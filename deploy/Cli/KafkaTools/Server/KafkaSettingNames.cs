namespace LogPipeline.Cli.KafkaTools.Server;

/// <summary>
/// Names of broker settings that Apache Kafka 0.8 to 4.2 know. Those that the broker here has not are warned of and ignored: a
/// server.properties that served for years must start. A name that is in neither list is a mistake, and stops the start.
/// </summary>
internal static class KafkaSettingNames
{
    /// <summary>Whole families of which nothing is here, so that a mistake in one of them changes nothing either.</summary>
    private static readonly string[] Families =
    [
        "alter.log.dirs.", "config.providers", "confluent.", "connection.failed.", "controller.quorum.", "controller.quota.", "delegation.token.", "group.consumer.",
        "group.coordinator.", "group.share.", "group.streams.", "kafka.metrics.", "listener.name.", "metadata.log.", "metric", "password.encoder.", "remote.",
        "replication.quota.", "sasl.", "share.", "ssl.", "telemetry.", "transaction.", "transactional.",
    ];

    /// <summary>Single names; none of them is a setting of the broker here.</summary>
    public static IReadOnlyList<string> Others { get; } =
    [
        .. """
        add.partitions.to.txn.retry.backoff.max.ms add.partitions.to.txn.retry.backoff.ms auto.leader.rebalance.enable
        broker.heartbeat.interval.ms broker.id.generation.enable broker.rack broker.session.timeout.ms
        client.quota.callback.class connections.max.reauth.ms control.plane.listener.name
        controlled.shutdown.enable controlled.shutdown.max.retries controlled.shutdown.retry.backoff.ms
        controller.socket.timeout.ms delete.records.purgatory.purge.interval.requests early.start.listeners
        eligible.leader.replicas.enable fetch.purgatory.purge.interval.requests initial.broker.registration.timeout.ms
        inter.broker.protocol.version leader.imbalance.check.interval.seconds leader.imbalance.per.broker.percentage
        log.dir.failure.timeout.ms log.flush.offset.checkpoint.interval.ms log.flush.scheduler.interval.ms
        log.flush.start.offset.checkpoint.interval.ms log.message.format.version log.message.timestamp.difference.max.ms
        log.roll.jitter.hours log.roll.jitter.ms max.request.partition.size.limit metadata.max.idle.interval.ms
        metadata.max.retention.bytes metadata.max.retention.ms num.replica.alter.log.dirs.threads offsets.commit.required.acks
        offsets.commit.timeout.ms offsets.load.buffer.size offsets.topic.compression.codec principal.builder.class
        producer.id.expiration.check.interval.ms producer.purgatory.purge.interval.requests queued.max.request.bytes
        quota.consumer.default quota.producer.default quota.window.num quota.window.size.seconds replica.fetch.backoff.ms
        replica.fetch.max.bytes replica.fetch.min.bytes replica.fetch.response.max.bytes replica.fetch.wait.max.ms
        replica.high.watermark.checkpoint.interval.ms replica.lag.max.messages replica.lag.time.max.ms replica.selector.class
        replica.socket.receive.buffer.bytes replica.socket.timeout.ms request.timeout.ms reserved.broker.max.id
        security.providers server.max.startup.time.ms socket.connection.setup.timeout.max.ms socket.connection.setup.timeout.ms
        socket.listen.backlog.size unstable.api.versions.enable unstable.feature.versions.enable
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries),
    ];

    private static readonly HashSet<string> Known = new(Others, StringComparer.Ordinal);

    public static bool Contains(string name) => Known.Contains(name) || Families.Any(family => name.StartsWith(family, StringComparison.Ordinal));
}
