using LogPipeline.Compare;

// Asks our broker and Apache Kafka 3.9 and 4.2 the same questions in every version that both serve, and prints where the answers
// differ. Differences that stay are listed in differences.txt with a reason; the exit code is 1 when there is one that is not.
//
//   Compare FOLDER_OF_PEERS [KAFKA_VERSION…]

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: Compare FOLDER_OF_PEERS [KAFKA_VERSION…]");
    return 2;
}
List<KnownDifference> list = KnownDifferences.Read(Path.Combine(AppContext.BaseDirectory, "differences.txt"));
int unlisted = 0;
foreach (string version in args.Length > 1 ? args[1..] : ["4.2", "3.9"])
{
    await using Peer ours = await Peer.StartOursAsync();
    await using Peer kafka = await Peer.StartKafkaAsync(args[0], version);
    List<Difference> found = await new Comparison(version, ours, kafka).RunAsync();
    unlisted += Report.Print(version, found, list);
}
unlisted += Report.PrintUnused(list, args[1..]);
Console.WriteLine(unlisted == 0 ? "Every difference is listed with its reason." : $"{unlisted} differences are not listed, or listed and not there.");
return unlisted == 0 ? 0 : 1;
