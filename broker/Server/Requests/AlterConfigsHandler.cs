using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.AlterConfigsResponse.Response;
using Asked = LogPipeline.Protocol.Messages.AlterConfigsRequest.Resource;

namespace LogPipeline.Broker.Requests;

/// <summary>AlterConfigs: replaces all settings of topics and brokers.</summary>
internal sealed class AlterConfigsHandler(ConfigAlteration alteration) : RequestHandler<AlterConfigsRequest, AlterConfigsResponse>
{
    protected override ValueTask<AlterConfigsResponse?> AnswerAsync(
        AlterConfigsRequest request, RequestContext context, CancellationToken cancellation)
    {
        HashSet<(sbyte, string)> repeated =
            ConfigAlteration.Repeated(request.Resources.Select(asked => (asked.ResourceType, asked.ResourceName)));
        return new(new AlterConfigsResponse
        {
            Responses = [.. request.Resources.Select(asked => Alter(asked, repeated, request.ValidateOnly))],
        });
    }

    private Answer Alter(Asked asked, HashSet<(sbyte, string)> repeated, bool validateOnly)
    {
        List<SettingChange> changes = [.. asked.Configs.Select(config => new SettingChange(config.Name, SettingOperation.Set, config.Value))];
        AlterOutcome outcome = repeated.Contains((asked.ResourceType, asked.ResourceName))
            ? ConfigAlteration.RepeatedResource
            : alteration.Alter(asked.ResourceType, asked.ResourceName, changes, replaceAll: true, validateOnly);
        return new()
        {
            ResourceType = asked.ResourceType,
            ResourceName = asked.ResourceName,
            ErrorCode = outcome.Error,
            ErrorMessage = outcome.Message,
        };
    }
}
