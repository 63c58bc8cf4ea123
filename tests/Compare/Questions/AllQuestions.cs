namespace LogPipeline.Compare.Questions;

/// <summary>What is asked, in this order.</summary>
internal static class AllQuestions
{
    public static IReadOnlyList<Question> List { get; } =
    [
        .. ClusterQuestions.List,
        .. TopicQuestions.List,
        .. ConfigQuestions.List,
        .. RecordQuestions.List,
        .. GroupQuestions.List,
    ];
}
