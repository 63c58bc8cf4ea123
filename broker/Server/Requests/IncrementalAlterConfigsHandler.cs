using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.IncrementalAlterConfigsResponse.Response;
using Asked = LogPipeline.Protocol.Messages.IncrementalAlterConfigsRequest.Resource;

namespace LogPipeline.Broker.Requests;

/// <summary>IncrementalAlterConfigs: changes some settings of topics and brokers.</summary>
internal sealed class IncrementalAlterConfigsHandler(ConfigAlteration alteration)
    : RequestHandler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>
{
    protected override ValueTask<IncrementalAlterConfigsResponse?> AnswerAsync(
        IncrementalAlterConfigsRequest request, RequestContext context, CancellationToken cancellation)
    {
        HashSet<(sbyte, string)> repeated =
            ConfigAlteration.Repeated(request.Resources.Select(asked => (asked.ResourceType, asked.ResourceName)));
        return new(new IncrementalAlterConfigsResponse
        {
            Responses = [.. request.Resources.Select(asked => Alter(asked, repeated, request.ValidateOnly))],
        });
    }

    private Answer Alter(Asked asked, HashSet<(sbyte, string)> repeated, bool validateOnly)
    {
        List<SettingChange> changes = [.. asked.Configs.Select(config =>
            new SettingChange(config.Name, (SettingOperation)config.ConfigOperation, config.Value))];
        AlterOutcome outcome = repeated.Contains((asked.ResourceType, asked.ResourceName))
            ? ConfigAlteration.RepeatedResource
            : alteration.Alter(asked.ResourceType, asked.ResourceName, changes, replaceAll: false, validateOnly);
        return new()
        {
            ResourceType = asked.ResourceType,
            ResourceName = asked.ResourceName,
            ErrorCode = outcome.Error,
            ErrorMessage = outcome.Message,
        };
    }
}
