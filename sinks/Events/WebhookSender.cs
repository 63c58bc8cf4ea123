using System.Net.Http.Headers;
using MassTransit;

namespace LogPipeline.Sinks.Events;

/// <summary>Posts notices for people to a configured address. A failure is the bus's to repeat.</summary>
public sealed class WebhookSender(HttpClient client, Uri address) : IConsumer<SinkNotice>
{
    public async Task Consume(ConsumeContext<SinkNotice> context)
    {
        if (!context.Message.IsForPeople)
        {
            return;
        }
        using var content = new ByteArrayContent(NoticeJson.Write(context.Message)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using HttpResponseMessage answer = await client.PostAsync(address, content, context.CancellationToken);
        answer.EnsureSuccessStatusCode();
        if (answer.RequestMessage is { Method: var method, RequestUri: var there } && method != HttpMethod.Post)
        {
            throw new HttpRequestException($"{address} sends to {there} without the notice, as 301 and 302 do: write that address");
        }
    }
}
