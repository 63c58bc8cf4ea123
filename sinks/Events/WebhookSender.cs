using System.Net.Http.Headers;
using MassTransit;

namespace LogPipeline.Sinks.Events;

/// <summary>Posts notices for people to the configured addresses. A failure is the bus's to repeat; an address that has the notice may get it again then.</summary>
public sealed class WebhookSender(HttpClient client, NoticeTargets targets) : IConsumer<SinkNotice>
{
    public async Task Consume(ConsumeContext<SinkNotice> context)
    {
        if (!context.Message.IsForPeople)
        {
            return;
        }
        byte[] json = NoticeJson.Write(context.Message);
        // To all of them at once: one that does not answer keeps the notice from no other.
        await Task.WhenAll(targets.Webhooks.Select(address => PostAsync(address, json, context.CancellationToken)));
    }

    private async Task PostAsync(Uri address, byte[] json, CancellationToken cancellation)
    {
        using var content = new ByteArrayContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using HttpResponseMessage answer = await client.PostAsync(address, content, cancellation);
        answer.EnsureSuccessStatusCode();
    }
}
