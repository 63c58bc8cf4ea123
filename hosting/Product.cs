using System.Reflection;

namespace LogPipeline.Hosting;

/// <summary>What this build is.</summary>
public static class Product
{
    /// <summary>The product's version, without the source revision behind the plus sign.</summary>
    public static string Version { get; } =
        typeof(Product).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
